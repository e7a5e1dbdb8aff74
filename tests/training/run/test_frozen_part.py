"""A stage whose frozen part is computed once: killed anywhere and continued, the run ends as an uninterrupted one."""

from pathlib import Path

import pytest
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.inference.predictor import open_predictor
from mammoseg.models import frozen_mil
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.training.config import StageConfig, TrainConfig
from mammoseg.training.features import FeatureFiles
from mammoseg.training.run import train

CPU = torch.device("cpu")


class StoppedError(Exception):
    pass


@pytest.fixture
def config(tiny_config: TrainConfig) -> TrainConfig:
    stage = StageConfig(epochs=2, learning_rate=1e-2, batch_size=4)
    values = {"model": "frozen_mil", "network": frozen_mil.TINY, "prep": tiny_config.prep, "stages": {"head": stage}}
    return TrainConfig.model_validate({**values, "augment": tiny_config.augment, "select_by": "auc"})


def test_resumed_is_uninterrupted(
    phantom_study: Manifest, config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    whole = train(config, phantom_study, tmp_path / "whole", CPU, cache_folder=cache).checkpoint
    counts = {"saved": 0, "steps": 0}

    def stops(what: str, at: int, original: object) -> object:
        def call(*arguments: object) -> object:
            counts[what] += 1
            if counts[what] == at:
                raise StoppedError
            return original(*arguments)  # type: ignore[operator]

        return call

    monkeypatch.setattr(FeatureFiles, "save", stops("saved", 4, FeatureFiles.save))
    with pytest.raises(StoppedError):
        train(config, phantom_study, tmp_path / "parts", CPU, cache_folder=cache)
    features = tmp_path / "parts" / "stages" / "head" / "features"
    before = {path: path.stat().st_mtime_ns for path in features.iterdir()}
    assert len(before) == 3

    stage = frozen_mil.LEARNING.stages[0]
    object.__setattr__(stage, "step", stops("steps", 8, stage.step))
    try:
        with pytest.raises(StoppedError):
            train(config, phantom_study, tmp_path / "parts", CPU, cache_folder=cache)
    finally:
        object.__setattr__(stage, "step", frozen_mil.step)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    saved = counts["saved"]
    parts = train(config, phantom_study, tmp_path / "parts", CPU, cache_folder=cache).checkpoint
    assert counts["saved"] == saved
    assert open_checkpoint(parts).read_weights().keys() == open_checkpoint(whole).read_weights().keys()
    for name, value in open_checkpoint(whole).read_weights().items():
        assert torch.equal(open_checkpoint(parts).read_weights()[name], value), name
    assert not features.exists()


def test_the_trunk_stays_and_the_head_learns(
    phantom_study: Manifest, config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(config.seed)
    before = frozen_mil.build(frozen_mil.TINY).state_dict()
    out = tmp_path / "run"
    after = open_checkpoint(train(config, phantom_study, out, CPU).checkpoint).read_weights()
    assert "FrozenMil never trains trunk.*, which has random weights" in caplog.text
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("head.") for name in changed)
    image = next(phantom_study.rows())
    assert set(open_predictor(out).predict(image).scores) == {"benign", "malignant"}
