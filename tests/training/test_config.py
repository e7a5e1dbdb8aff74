"""A run's configuration: read back from what it writes, and refused early where it cannot work."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mammoseg.config import ConfigError, to_yaml, with_overrides
from mammoseg.models.glam.config import GlamConfig
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import AugmentConfig, TrainConfig


def test_yaml_round_trip(tiny_config: TrainConfig, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(tiny_config))
    other = TrainConfig(network=GlamConfig())
    again = with_overrides(other, file)
    assert again == tiny_config
    assert isinstance(again.network, GlamConfig)


def test_settings_of_the_network_can_be_changed(tiny_config: TrainConfig) -> None:
    changed = with_overrides(tiny_config, sets=["network.num_patches=2", "stages.local.epochs=7"])
    assert changed.network.num_patches == 2  # type: ignore[attr-defined]
    assert changed.stages["local"].epochs == 7
    assert changed.stages["global"] == tiny_config.stages["global"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("stages.lokal.epochs=1", "glam has no stage lokal; its stages are global, local, joint"),
        ("network.patch_px=80", r"network.patch_px is 80; a window of \(96, 64\) takes at most 64"),
        ("augment.size_px=32", r"augment.size_px 32 could empty a window of \(96, 64\); at most 31"),
        ("augment.location_px=[-1, 4]", "augment.location_px.0"),
        ("seed=-1", "seed"),
        ("stages.local.epochs=0", "stages.local.epochs"),
        ("stages.local.learning_rate=0", "stages.local.learning_rate"),
        ("select_by=accuracy", "select_by"),
        ("select_class=normal", "select_class 'normal' is none of the classes: benign, malignant"),
        ("network.patches=2", "there is no field 'patches'"),
        ("model=5", r"model '5' in the place of 'glam', which the other settings are for"),
        ("model=gmic", r"model 'gmic' in the place of 'glam'.*choose a recipe of that model"),
        ("model=my_lab.net", r"model 'my_lab.net' in the place of 'glam'"),
        ("objective.global_sparsity=-1", "objective.global_sparsity|global_sparsity"),
        ("network=5", "Input should be a valid dictionary or instance of GlamConfig"),
        (
            "network.num_patches=100000",
            r"network.num_patches is 100000; a window of \(96, 64\) takes at most 24 patches of 32",
        ),
        ("objective.num_patches=25", r"objective.num_patches is 25; a window of \(96, 64\) takes at most 24"),
        ("augment.location_px=[100000,100000]", "augment.location_px.0: Input should be less than or equal to 10000"),
        (
            "augment.location_px=[4, 33]",
            r"augment.location_px \(4, 33\) could move a window of \(96, 64\) off the breast",
        ),
        (
            "network.global_module.widths=[1000000000,4,4,4,4]",
            "global_module.widths.0: Input should be less than or equal",
        ),
        (
            "network.local_module.blocks=[1000000000]",
            "local_module.blocks.0: Input should be less than or equal to 200",
        ),
        ("prep.window=[1000000000,1000000000]", "prep.window.0: Input should be less than or equal to 16384"),
        ("prep.pixel_mm=1e-9", "prep.pixel_mm: Input should be greater than or equal to 0.01"),
        ("stages.local.batch_size=1000000000", "stages.local.batch_size: Input should be less than or equal to 4096"),
    ],
)
def test_what_cannot_work_is_refused_before_training(tiny_config: TrainConfig, change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_overrides(tiny_config, sets=[change])


def test_a_resized_breast_may_be_displaced_by_more_than_the_window(tiny_config: TrainConfig) -> None:
    """The displacement counts in pixels before resizing."""
    changed = with_overrides(tiny_config, sets=["prep.fit=resize", "augment.size_px=100"])
    assert changed.augment.size_px == 100


def test_a_configuration_file_does_not_import_a_model(tiny_config: TrainConfig, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("model: this\nstages: {}\n")
    with pytest.raises(ConfigError, match=r"config\.yaml: model 'this' in the place of 'glam'"):
        with_overrides(tiny_config, file)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ValidationError, match=r"there is no model 'glan'. Did you mean glam"):
        TrainConfig.model_validate({"model": "glan", "network": {}})


def test_the_defaults_are_the_published_run() -> None:
    config = TrainConfig(network=GlamConfig())
    assert config.prep == PrepConfig()
    assert config.prep.window == (2944, 1920)
    assert config.augment == AugmentConfig(location_px=(100, 100), size_px=100)
