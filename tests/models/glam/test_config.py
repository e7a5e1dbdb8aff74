"""GLAM's numbers: the published ones by default, and what is refused."""

import pytest
from pydantic import ValidationError

from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig, ObjectiveConfig


def test_published_network() -> None:
    config = GlamConfig()
    assert config.global_module.widths == (16, 32, 64, 128, 256)
    assert config.global_module.scale_weights == (0.2, 0.6, 0.2)
    assert (config.global_module.top_t, config.local_module.top_t) == (0.03, 0.3)
    assert (config.local_module.blocks, config.local_module.strides) == ((3, 4, 6, 3), (1, 1, 1, 1))
    assert (config.patch_px, config.num_patches, config.combine) == (512, 1, "mean")
    assert config.global_module.pool_at == "finest"


def test_as_json_and_back() -> None:
    config = GlamConfig(num_patches=3)
    assert GlamConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    "weights", [(1.0, 1.0, 1.0), (0.2, 0.6, 0.1), (-0.2, 1.0, 0.2), (0.0, 0.0, 0.0), (float("nan"), 0.5, 0.5)]
)
def test_scale_weights_make_a_mean(weights: tuple[float, float, float]) -> None:
    with pytest.raises(ValidationError, match=r"scale_weights"):
        GlobalConfig(scale_weights=weights)


def test_thirds_are_a_mean() -> None:
    assert GlobalConfig(scale_weights=(1 / 3, 1 / 3, 1 / 3))


@pytest.mark.parametrize("wrong", [{"blocks": (3, 4)}, {"widths": ()}, {"blocks": (), "widths": (), "strides": ()}])
def test_groups_of_the_local_module_are_described_alike(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValidationError, match="blocks, widths and strides must have one entry per group"):
        LocalConfig(**wrong)


def test_a_prediction_of_the_fusion_needs_one() -> None:
    with pytest.raises(ValidationError, match="there is no fusion module: choose 'global' or 'local'"):
        GlamConfig(fusion=False)
    assert not GlamConfig(fusion=False, prediction="local").fusion


@pytest.mark.parametrize(
    "values",
    [
        {"patch_px": 4},
        {"num_patches": 0},
        {"prediction": "sum"},
        {"combine": "inside"},
        {"global_module": {"pool_at": "coarsest"}},
        {"global_module": {"top_t": 3}},
        {"global_module": {"widths": (16, 32, 64, 128)}},
        {"global_module": {"widths": (0, 32, 64, 128, 256)}},
        {"local_module": {"strides": (1, 0, 1, 1)}},
        {"local_module": {"channels_in": 2}},
        {"patches": 3},
    ],
)
def test_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GlamConfig.model_validate(values)


@pytest.mark.parametrize("values", [{"global_sparsity": -1}, {"num_patches": 0}, {"patch_jitter": 0.6}])
def test_refused_in_training(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ObjectiveConfig.model_validate(values)
