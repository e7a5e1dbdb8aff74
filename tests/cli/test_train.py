"""`mammoseg train`: what the options become, and the exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from mammoseg.cli.app import app
from mammoseg.data.manifest import Manifest
from mammoseg.training.config import TrainConfig
from mammoseg.training.run import TrainingResult


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the verb hands to `train`, and what that returns."""
    seen = SimpleNamespace(failed=0)

    def train(config: TrainConfig, manifest: Manifest, out: Path, *further: Any) -> TrainingResult:
        seen.config, seen.manifest, seen.further = config, manifest, further
        return TrainingResult(out / "checkpoint", seen.failed)

    monkeypatch.setattr("mammoseg.training.run.train", train)
    return seen


def invoke(manifest: Manifest, *options: str) -> Result:
    required = ["train", "--recipe", "glam_small", "--manifest", str(manifest.path), "--out", "run"]
    return CliRunner().invoke(app, [*required, *options])


def test_the_defaults_are_those_of_the_recipe(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    from mammoseg.recipes.glam import glam_small

    result = invoke(phantom_study, "--device", "cpu")
    assert (result.exit_code, result.stdout) == (0, "Checkpoint: run/checkpoint\n")
    assert calls.config == glam_small()
    assert calls.manifest.sha256() == phantom_study.sha256()
    assert calls.further == (torch.device("cpu"), 0, False, None)


def test_options_reach_the_training(calls: SimpleNamespace, phantom_study: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("seed: 5\nnetwork: {patch_px: 48}\nstages: {local: {epochs: 7}}\n")
    result = invoke(
        phantom_study,
        *("--config", str(file), "--set", "stages.local.epochs=8", "--set", "network.num_patches=2"),
        *("--cache", "crops", "--workers", "3", "--overwrite", "--device", "cpu"),
    )
    assert result.exit_code == 0
    assert calls.further == (torch.device("cpu"), 3, True, Path("crops"))
    assert (calls.config.network.patch_px, calls.config.network.num_patches) == (48, 2)
    assert calls.config.stages["local"].epochs == 8
    assert calls.config.seed == 5, "a seed in the file counts unless --seed is given"


def test_seed_is_the_last_word(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    invoke(phantom_study, "--set", "seed=1", "--seed", "2")
    assert calls.config.seed == 2


def test_left_out_images_are_told(calls: SimpleNamespace, phantom_study: Manifest) -> None:
    calls.failed = 4
    result = invoke(phantom_study)
    assert result.exit_code == 3
    assert "4 images could not be prepared: run/errors.csv" in result.stdout
