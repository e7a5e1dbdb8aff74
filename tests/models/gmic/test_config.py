"""GMIC's numbers: the published ones by default, and what is refused."""

import pytest
from pydantic import ValidationError

from mammoseg.models.gmic.config import GlobalConfig, GmicConfig, LocalConfig, ObjectiveConfig

GROUPS = "blocks, widths and strides must have one entry per group"


def test_published_network() -> None:
    config = GmicConfig()
    assert (config.global_module.trunk, config.global_module.pooling) == ("resnet22", "top_t")
    assert (config.global_module.widths, config.global_module.strides) == ((16, 32, 64, 128, 256), (1, 2, 2, 2, 2))
    assert (config.local_module.blocks, config.local_module.bottleneck) == ((2, 2, 2, 2), False)
    assert (config.local_module.strides, config.local_module.channels_in) == ((1, 2, 2, 2), 3)
    assert (config.patch_px, config.num_patches, config.rois) == (256, 6, "retrieved")
    assert (config.local_module.attention, config.prediction, config.heatmaps) == ("gated", "fusion", False)
    assert config.classes == ("benign", "malignant")
    assert ObjectiveConfig().reduction == "sum"
    assert 10**-5.5 <= ObjectiveConfig().sparsity <= 10**-3.5


def test_as_json_and_back() -> None:
    config = GmicConfig(num_patches=3, classes=("malignant",), global_module=GlobalConfig(pooling="max"))
    assert GmicConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize("classes", [("benign",), ("malignant", "benign"), ("mass", "calcification", "asymmetry")])
def test_any_classes(classes: tuple[str, ...]) -> None:
    assert GmicConfig.model_validate({"classes": classes}).classes == classes


@pytest.mark.parametrize("classes", [(), ("malignant", "malignant"), ("a/b",)])
def test_classes_are_names_each_once(classes: tuple[str, ...]) -> None:
    with pytest.raises(
        ValidationError, match="classes are names such as benign and malignant, at least one, each once"
    ):
        GmicConfig.model_validate({"classes": classes})


@pytest.mark.parametrize("kind", [GlobalConfig, LocalConfig])
@pytest.mark.parametrize("wrong", [{"blocks": (3,)}, {"widths": ()}, {"blocks": (), "widths": (), "strides": ()}])
def test_groups_are_described_alike(kind: type[GlobalConfig | LocalConfig], wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValidationError, match=GROUPS):
        kind.model_validate(wrong)


@pytest.mark.parametrize(
    "values",
    [
        {"patch_px": 4},
        {"num_patches": 0},
        {"prediction": "sum"},
        {"rois": "all"},
        {"global_module": {"top_t": 0}},
        {"global_module": {"top_t": 2}},
        {"global_module": {"pooling": "median"}},
        {"global_module": {"trunk": "densenet"}},
        {"local_module": {"attention": "none"}},
        {"local_module": {"channels_in": 2}},
        {"local_module": {"blocks": (2, 0, 2, 2)}},
        {"combine": "mean"},
    ],
)
def test_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GmicConfig.model_validate(values)


@pytest.mark.parametrize("values", [{"sparsity": -1}, {"reduction": "max"}])
def test_refused_in_training(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ObjectiveConfig.model_validate(values)
