"""Published weight files of GLAM: every tensor has its place in the joint and in the separate model."""

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mammoseg.models.glam.config import GlamConfig
from mammoseg.models.glam.model import Glam
from mammoseg.models.glam.published import PUBLISHED
from mammoseg.published.file import PublishedFile, fit

JOINT, SEPARATE, JOINT_IN_PART = PUBLISHED
COMBINE = "global_network.postprocess_module.combine.weight"
ONLY_JOINT = {
    "mil.mil_attn_V.weight": (128, 512),
    "mil.mil_attn_U.weight": (128, 512),
    "mil.mil_attn_w.weight": (1, 128),
    "mil.classifier_linear.weight": (2, 512),
    "fusion_dnn.weight": (2, 768),
    "fusion_dnn.bias": (2,),
    "shared_rep_filter.weight": (256, 256, 4, 4),
}
NEVER_USED = (COMBINE, "mil.classifier_linear.weight", "shared_rep_filter.weight")
each_file = pytest.mark.parametrize("file", PUBLISHED, ids=["joint", "separate", "joint in part"])


def state_of(file: PublishedFile) -> dict[str, Tensor]:
    assert isinstance(file.config, GlamConfig)
    with torch.device("meta"):
        return Glam(file.config).state_dict()


def renamed(file: PublishedFile) -> dict[str, Tensor]:
    return {file.published_name(ours): value for ours, value in state_of(file).items()}


def published_state(joint: bool) -> dict[str, Tensor]:
    """What lies in a published file."""
    state = {**renamed(SEPARATE), COMBINE: torch.empty(2, 6, 1, 1, device="meta")}
    return state | {name: torch.empty(shape, device="meta") for name, shape in ONLY_JOINT.items() if joint}


def test_every_tensor_has_a_name_of_its_own() -> None:
    separate, joint = renamed(SEPARATE), renamed(JOINT)
    assert len(separate) == len(state_of(SEPARATE)) == 352 - 1
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(v.numel() for k, v in separate.items() if not k.endswith(statistics)) == 24_086_140 - 12
    more = {name: shape for name, shape in ONLY_JOINT.items() if name not in NEVER_USED}
    assert {name: tuple(value.shape) for name, value in joint.items() if name not in separate} == more


def test_some_names() -> None:
    names = {
        "global_module.trunk.stem.weight": "global_network.downsampling_branch.first_conv.weight",
        "global_module.trunk.groups.0.0.shortcut.weight": (
            "global_network.downsampling_branch.layer_list.0.0.downsample.0.weight"
        ),
        "global_module.heads.0.weight": "global_network.postprocess_module.gn_conv_1.weight",
        "global_module.heads.2.weight": "global_network.postprocess_module.gn_conv_last.weight",
        "local_module.trunk.groups.3.2.bn2.bias": "detection_network.dn_resnet.layer4.2.bn2.bias",
        "local_module.trunk.groups.1.0.shortcut.0.weight": "detection_network.dn_resnet.layer2.0.downsample.0.weight",
        "local_module.head.weight": "detection_network.gn_conv_last.weight",
        "local_module.attention.w.weight": "mil.mil_attn_w.weight",
        "fusion.linear.weight": "fusion_dnn.weight",
    }
    assert {ours: JOINT.published_name(ours) for ours in names} == names
    assert names.keys() <= state_of(JOINT).keys()


@pytest.mark.shared
def test_names_and_shapes_of_the_published_files(shared: Path) -> None:
    with (shared / "spec" / "glam_keys.csv").open() as file:
        rows = [(row["key"], row["shape"].replace("scalar", ""), row["in_code_model"]) for row in csv.DictReader(file)]
    used = {key: shape for key, shape, in_use in rows if in_use == "yes"}
    assert used.pop(COMBINE) == "2x6x1x1"
    assert {key: "x".join(map(str, value.shape)) for key, value in renamed(SEPARATE).items()} == used
    only_joint = {key: shape for key, shape, in_use in rows if in_use == "no"}
    assert only_joint == {key: "x".join(map(str, shape)) for key, shape in ONLY_JOINT.items()}


def test_a_joint_file_fits_as_a_whole_and_in_part() -> None:
    fits = fit(JOINT, published_state(joint=True), state_of(JOINT))
    assert (fits.missing, fits.unexpected, set(fits.unused)) == ((), (), set(NEVER_USED))
    fits = fit(JOINT_IN_PART, published_state(joint=True), state_of(JOINT_IN_PART))
    assert (fits.missing, fits.unexpected, set(fits.unused)) == ((), (), {COMBINE, *ONLY_JOINT})
    fits = fit(SEPARATE, published_state(joint=True), state_of(SEPARATE))
    assert (fits.missing, set(fits.unexpected), fits.unused) == ((), ONLY_JOINT.keys(), (COMBINE,))


def test_a_joint_file_in_part_is_the_separate_network() -> None:
    assert JOINT_IN_PART.config == SEPARATE.config


def test_a_separate_file_fits_the_separate_network_only() -> None:
    fits = fit(SEPARATE, published_state(joint=False), state_of(SEPARATE))
    assert (fits.missing, fits.unexpected, fits.unused) == ((), (), (COMBINE,))
    missing = fit(JOINT, published_state(joint=False), state_of(JOINT)).missing
    assert set(missing) == ONLY_JOINT.keys() - set(NEVER_USED)


@each_file
def test_it_predicts_as_the_published_software(file: PublishedFile) -> None:
    """One patch of 512 pixels, the prediction of the global module, the mean of both maps."""
    config = file.config
    assert isinstance(config, GlamConfig)
    assert (config.prediction, config.combine) == ("global", "mean")
    assert (config.num_patches, config.patch_px) == (1, 512)
    assert (config.global_module.top_t, config.local_module.top_t) == (0.03, 0.3)
