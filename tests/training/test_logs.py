"""Where numbers go."""

import socket
from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import WandbLogger

from mammoseg.data.manifest import Manifest
from mammoseg.training import logs as logs_module
from mammoseg.training.config import TrainConfig
from mammoseg.training.logs import Logs
from mammoseg.training.module import TrainingError
from mammoseg.training.run import train


def test_nothing_leaves_the_machine_unless_asked(tmp_path: Path) -> None:
    assert not any(isinstance(logger, WandbLogger) for logger in Logs(tmp_path).loggers("global"))


def test_without_the_package_it_says_so_before_anything_is_done(
    tiny_config: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "find_spec", lambda name: None)
    config = tiny_config.model_copy(update={"wandb": "lesions"})
    with pytest.raises(TrainingError, match=r"pip install 'mammoseg\[wandb\]'"):
        train(config, phantom_study, tmp_path / "run", torch.device("cpu"))
    assert not (tmp_path / "run").exists()


def test_a_run_for_each_stage_with_scores_and_settings_alone(
    tiny_config: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = tiny_config.model_copy(update={"wandb": "lesions"})
    run = tmp_path / "run"
    train(config, phantom_study, run, torch.device("cpu"))
    written = sorted((run / "logs" / "wandb").glob("offline-run-*/run-*.wandb"))
    stages = [path.parent.name for path in (run / "logs").glob("*/wandb_id")]
    assert len(written) == len(stages) == len(config.stages)
    ids = {(run / "logs" / stage / "wandb_id").read_text() for stage in stages}
    assert {path.stem.removeprefix("run-") for path in written} == ids
    for path in written:
        content = path.read_bytes()
        assert b"val/loss" in content
        assert b"learning_rate" in content
        assert socket.gethostname().encode() not in content
        assert str(phantom_study.path).encode() not in content
        assert b"pytest" not in content  # the command
