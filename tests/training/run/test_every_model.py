"""Every model: a stopped run ends like one that was not, whether it learns from labels, masks or boxes, of single images or of
exams. Those that learn nothing have a run, too."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.inference.predictor import open_predictor
from mammoseg.models import MissingPackageError, check_installed, list_models, load_model_plugin, seen_by
from mammoseg.nn.checkpoint import CheckpointError, open_checkpoint
from mammoseg.prep.config import PrepConfig
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.module import StageModule
from mammoseg.training.run import train

CPU = torch.device("cpu")
PLUGINS = {name: load_model_plugin(name) for name in list_models()}
LEARNING = [
    name for name in PLUGINS if PLUGINS[name].LEARNING.stages and name != "glam"
]  # for which see test_resume.py
NOT_LEARNING = [name for name in PLUGINS if not PLUGINS[name].LEARNING.stages]


def tiny(name: str, like: TrainConfig) -> TrainConfig:
    plugin = PLUGINS[name]
    sees = seen_by(name, plugin.TINY)
    stages = {
        stage.name: StageConfig(epochs=2, learning_rate=1e-3, batch_size=2 if sees.views else 8, schedule="one_cycle")
        for stage in plugin.LEARNING.stages_of(plugin.TINY)
    }
    prep = like.prep
    if sees.windows:  # in the place of one window
        prep = PrepConfig.model_validate(prep.model_dump(exclude={"window"}) | {"windows": sees.windows})
    return TrainConfig(model=name, network=plugin.TINY, prep=prep, augment=like.augment, stages=stages)


def weights(folder: Path) -> str:
    return open_checkpoint(folder / "checkpoint").sha256


def stopped(at: int) -> Callable[..., Any]:
    """A training step that ends the run at its `at`-th call."""
    original, left = StageModule.training_step, [at]

    def step(self: StageModule, *arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return original(self, *arguments)

    return step


@pytest.mark.parametrize("name", LEARNING)
def test_a_stopped_run_ends_like_one_that_was_not(
    name: str,
    tiny_config: TrainConfig,
    trained_run: Path,
    phantom_study: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    try:
        check_installed(name)
    except MissingPackageError as error:
        pytest.skip(str(error))
    config, cache = tiny(name, tiny_config), trained_run / "cache"
    train(config, phantom_study, tmp_path / "whole", CPU, cache_folder=cache)
    with monkeypatch.context() as patch:
        patch.setattr(StageModule, "training_step", stopped(at=4))
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            train(config, phantom_study, tmp_path / "stopped", CPU, cache_folder=cache)
    assert [file.name for file in tmp_path.rglob("last.ckpt")], "it was in the second epoch"
    assert not (tmp_path / "stopped" / "checkpoint").exists()
    train(config, phantom_study, tmp_path / "stopped", CPU, cache_folder=cache)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


@pytest.mark.parametrize("name", NOT_LEARNING)
def test_a_model_that_learns_nothing_leaves_a_checkpoint_and_predicts(
    name: str,
    tiny_config: TrainConfig,
    trained_run: Path,
    phantom_study: Manifest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = tiny(name, tiny_config)
    with caplog.at_level(logging.INFO):
        result = train(config, phantom_study, tmp_path, CPU, cache_folder=trained_run / "cache")
    assert f"{name} learns nothing" in caplog.text
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.model, checkpoint.prep) == (name, config.prep.model_dump(mode="json"))
    assert checkpoint.trained_on is not None
    assert not checkpoint.trained_on["patients"], "it has learned from nobody"
    row = next(iter(phantom_study.rows()))
    assert set(open_predictor(result.checkpoint, "cpu").predict(row).maps) == {"saliency"}
    assert train(config, phantom_study, tmp_path, CPU) == result, "a finished run is returned at once"
    for settings, told in (
        ({"frozen": ["trunk.*"]}, "Expected nothing: it has none"),
        ({"pretrained": {"trunk": "x"}}, "Expected nothing: it has none"),
        ({"init": {"checkpoint": str(result.checkpoint)}}, "Expected no start: it has none"),
    ):
        other = TrainConfig.model_validate(config.model_dump() | settings)
        with pytest.raises(CheckpointError, match=told):
            train(other, phantom_study, tmp_path / "other", CPU, cache_folder=trained_run / "cache")


@pytest.mark.parametrize("name", NOT_LEARNING)
def test_it_needs_no_validation_images(
    name: str, tiny_config: TrainConfig, trained_run: Path, phantom_study: Manifest, tmp_path: Path
) -> None:
    table = phantom_study.table
    alone = table[table["patient_id"] == table["patient_id"].iloc[0]].assign(split="train")
    one = replace(phantom_study, table=alone)
    train(tiny(name, tiny_config), one, tmp_path, CPU, cache_folder=trained_run / "cache")
    assert open_checkpoint(tmp_path).model == name
