"""A stage is used by the run it is of, and by no other, whatever is left of the folder."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.data.manifest import Manifest
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.training import run as run_module
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import TrainingError
from mammoseg.training.run import train

CPU = torch.device("cpu")


@pytest.fixture
def left(trained_run: Path, tmp_path: Path) -> Path:
    """A finished run whose run.json is lost."""
    shutil.copytree(trained_run, tmp_path / "run", ignore=shutil.ignore_patterns("cache", "logs", "run.json"))
    return tmp_path / "run"


def test_every_checkpoint_of_a_run_names_it(trained_run: Path) -> None:
    folders = [trained_run, *(trained_run / "stages").iterdir()]
    digests = {open_checkpoint(folder / "checkpoint").provenance["run"] for folder in folders}
    assert len(digests) == 1


def test_another_configuration_does_not_get_the_stages_of_a_run_whose_name_is_lost(
    left: Path, trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest
) -> None:
    other = tiny_config.model_copy(update={"seed": 77})
    with pytest.raises(TrainingError, match=r"global/checkpoint: is of another configuration or manifest.*--overwrite"):
        train(other, phantom_study, left, CPU, cache_folder=trained_run / "cache")
    weights = open_checkpoint(trained_run / "stages" / "global" / "checkpoint").sha256
    assert open_checkpoint(left / "stages" / "global" / "checkpoint").sha256 == weights


def test_the_same_configuration_gets_them(
    left: Path,
    trained_run: Path,
    tiny_config: TrainConfig,
    phantom_study: Manifest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_module, "fit_stage", None)
    train(tiny_config, phantom_study, left, CPU, cache_folder=trained_run / "cache")
    assert (left / "run.json").read_bytes() == (trained_run / "run.json").read_bytes()


def test_overwrite_discards_the_stages_of_a_run_whose_name_is_lost(
    left: Path, trained_run: Path, short: TrainConfig, phantom_study: Manifest
) -> None:
    other = short.model_copy(update={"seed": 77})
    train(other, phantom_study, left, CPU, overwrite=True, cache_folder=trained_run / "cache")
    assert open_checkpoint(left).provenance["training"]["seed"] == 77
    assert open_checkpoint(left).sha256 != open_checkpoint(trained_run).sha256


def test_the_result_of_another_run_is_not_returned_as_done(
    left: Path, trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest
) -> None:
    """run.json says seed 77, everything else is of seed 0."""
    other = tiny_config.model_copy(update={"seed": 77})
    run = run_module._Run(other, phantom_study, left, CPU, 0)
    run.claim_folder()
    with pytest.raises(TrainingError, match="is of another configuration or manifest"):
        train(other, phantom_study, left, CPU, cache_folder=trained_run / "cache")


@pytest.mark.parametrize("text", ["", "[" * 100_000, "\x00"], ids=["empty", "deep", "zero"])
def test_a_damaged_run_json(
    text: str, left: Path, trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest
) -> None:
    (left / "run.json").write_text(text)
    with pytest.raises(TrainingError, match=r"run\.json: damaged \(.*Delete this file and give the same command again"):
        train(tiny_config, phantom_study, left, CPU, cache_folder=trained_run / "cache")


def test_damaged_patches(
    left: Path, trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found before the stage is trained; without run.json they are chosen anew."""
    stage = left / "stages" / "local"
    shutil.rmtree(stage / "checkpoint")
    shutil.copy(trained_run / "run.json", left)
    shutil.rmtree(left / "checkpoint")
    (stage / "patches.csv").write_text("image_id,rank,row\na,0,1\n")
    with pytest.raises(TrainingError, match=r"patches\.csv: damaged \(.*col.*Delete the file"):
        train(tiny_config, phantom_study, left, CPU, cache_folder=trained_run / "cache")
    (left / "run.json").unlink()

    def stop(*_: Any) -> None:
        raise RuntimeError("stopped")

    monkeypatch.setattr(run_module, "fit_stage", stop)
    with pytest.raises(RuntimeError, match="stopped"):
        train(tiny_config, phantom_study, left, CPU, cache_folder=trained_run / "cache")
    assert (stage / "patches.csv").read_bytes() == (trained_run / "stages" / "local" / "patches.csv").read_bytes()


def test_other_splits_of_the_same_rows_are_another_run(
    left: Path, trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest
) -> None:
    swapped = phantom_study.table["split"].replace({"train": "val", "val": "train"})
    other = replace(phantom_study, table=phantom_study.table.assign(split=swapped))
    assert other.sha256() == phantom_study.sha256()
    with pytest.raises(TrainingError, match="is of another configuration or manifest"):
        train(tiny_config, other, left, CPU, cache_folder=trained_run / "cache")
