"""Published weight files of GMIC: every tensor has its place, and what a file does not say comes from its name."""

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mammoseg.models.gmic.config import GmicConfig
from mammoseg.models.gmic.model import Gmic
from mammoseg.models.gmic.published import CBIS, PUBLISHED, TOP_T
from mammoseg.prep.config import PrepConfig
from mammoseg.published.file import PublishedFile, fit

NYU, CBIS_DDSM = PUBLISHED
UNUSED = "shared_rep_filter.weight"


def state_of(file: PublishedFile) -> dict[str, Tensor]:
    assert isinstance(file.config, GmicConfig)
    with torch.device("meta"):
        return Gmic(file.config).state_dict()


def renamed(file: PublishedFile) -> dict[str, Tensor]:
    return {file.published_name(ours): value for ours, value in state_of(file).items()}


@pytest.mark.parametrize(
    ("file", "entries", "parameters"), [(NYU, 258, 14_110_322), (CBIS_DDSM, 247, 22_486_273)], ids=["nyu", "cbis"]
)
def test_every_tensor_has_a_name_of_its_own(file: PublishedFile, entries: int, parameters: int) -> None:
    published = renamed(file)
    assert len(published) == len(state_of(file)) == entries
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(v.numel() for k, v in published.items() if not k.endswith(statistics)) == parameters


def test_some_names() -> None:
    names = {
        "global_module.trunk.stem.weight": "ds_net.first_conv.weight",
        "global_module.trunk.groups.3.0.shortcut.weight": "ds_net.layer_list.3.0.downsample.0.weight",
        "global_module.trunk.final_bn.bias": "ds_net.final_bn.bias",
        "global_module.head.weight": "left_postprocess_net.gn_conv_last.weight",
        "local_module.trunk.conv1.weight": "dn_resnet.conv1.weight",
        "local_module.trunk.groups.1.0.shortcut.1.weight": "dn_resnet.layer2.0.downsample.1.weight",
        "local_module.attention.V.weight": "mil_attn_V.weight",
        "local_module.classifier.weight": "classifier_linear.weight",
        "fusion.linear.bias": "fusion_dnn.bias",
    }
    assert {ours: NYU.published_name(ours) for ours in names} == names
    assert names.keys() <= state_of(NYU).keys()
    ours = "global_module.trunk.groups.3.1.bn2.weight"
    assert ours in state_of(CBIS_DDSM)
    assert CBIS_DDSM.published_name(ours) == "ds_net.layer4.1.bn2.weight"


@pytest.mark.shared
def test_names_and_shapes_of_the_published_file(shared: Path) -> None:
    with (shared / "spec" / "gmic_keys.csv").open() as file:
        rows = [(row["key"], row["shape"].replace("scalar", ""), row["in_code_model"]) for row in csv.DictReader(file)]
    used = {key: shape for key, shape, in_use in rows if in_use == "yes"}
    assert {key: "x".join(map(str, value.shape)) for key, value in renamed(NYU).items()} == used
    assert [key for key, _, in_use in rows if in_use == "no"] == [UNUSED]


@pytest.mark.parametrize("file", PUBLISHED, ids=["nyu", "cbis"])
def test_a_whole_file_fits(file: PublishedFile) -> None:
    state = {**renamed(file), UNUSED: torch.empty(256, 256, 4, 4, device="meta")}
    fits = fit(file, state, state_of(file))
    assert fits.found.keys() == state_of(file).keys()
    assert (fits.missing, fits.unexpected, fits.unused) == ((), (), (UNUSED,))


def test_the_files_are_told_apart() -> None:
    assert fit(NYU, renamed(CBIS_DDSM), state_of(NYU)).missing
    assert fit(CBIS_DDSM, renamed(NYU), state_of(CBIS_DDSM)).missing


@pytest.mark.parametrize("number", "12345")
def test_t_follows_from_the_name_of_the_file(number: str) -> None:
    expected = {"1": "0.02", "2": "0.03", "3": "0.03", "4": "0.05", "5": "0.1"}[number]
    assert NYU.settings is not None
    assert list(NYU.settings(f"sample_model_{number}")) == [f"global_module.top_t={expected}"]
    assert TOP_T[number] == float(expected)


@pytest.mark.parametrize("stem", ["weights", "sample_model_6", "sample_model_12", "sample_model_1_old"])
def test_t_of_another_file_has_to_be_given(stem: str) -> None:
    assert NYU.settings is not None
    assert not NYU.settings(stem)
    assert CBIS_DDSM.settings is None
    assert NYU.must_set == CBIS_DDSM.must_set == "global_module.top_t"


def test_networks_and_preparation() -> None:
    assert NYU.config == GmicConfig()
    assert CBIS_DDSM.config == CBIS
    assert not NYU.prep
    assert PrepConfig.model_validate(CBIS_DDSM.prep) == PrepConfig(fit="resize", intensity="unit")
