"""A run that is stopped ends like one that was not; a finished one is kept, another one is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml

from mammoseg.data.batching import BalancedExamSampler
from mammoseg.data.manifest import Manifest
from mammoseg.nn.checkpoint import open_checkpoint
from mammoseg.training import run as run_module
from mammoseg.training.config import TrainConfig
from mammoseg.training.module import TrainingError
from mammoseg.training.run import TrainingResult, train

STAGES = ("global", "local", "joint")
CPU = torch.device("cpu")
STEP = "mammoseg.training.module.StageModule.training_step"


def weights(folder: Path) -> str:
    return open_checkpoint(folder / "checkpoint").sha256


def epochs(logs: Path) -> pd.DataFrame:
    """The rows of all attempts; an epoch that was done twice must have gone the same way, if not as fast."""
    parts = [pd.read_csv(file) for file in sorted(logs.glob("version_*/metrics.csv"))]
    parts = [part.filter(regex="^(?!speed/)") for part in parts]
    return pd.concat(parts).drop_duplicates().reset_index(drop=True)


def files(folder: Path) -> dict[str, int]:
    """Name -> time of the last change."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def fails_in(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    def fit_stage(module: Any, *arguments: Any) -> Any:
        if module.stage.name == stage:
            raise RuntimeError("stopped")
        return original(module, *arguments)

    original = run_module.fit_stage
    monkeypatch.setattr(run_module, "fit_stage", fit_stage)


def kills(steps: int) -> dict[str, list[tuple[str, int]]]:
    """Stage -> where its run is killed, one attempt after the other; an epoch has `steps` steps, a stage two epochs."""
    return {
        "global": [
            (STEP, 2),  # in the first epoch
            ("os.fsync", 4),  # the page is not written
            ("os.fsync", 6),  # best-1.ckpt is written but has not its name yet
            ("mammoseg.training.fit._save", 2),  # best-1.ckpt is there, last.ckpt is not
            ("os.fsync", 7),
            (STEP, steps + 2),  # in the second epoch
            (STEP, 2),  # in the second epoch, again
            ("mammoseg.training.run.save_checkpoint", 1),  # after the last epoch
            ("mammoseg.nn.checkpoint.write_bytes", 2),  # the weights of the stage are there, their description is not
        ],
        "local": [
            ("mammoseg.models.glam.model.Glam.select", 2),  # while choosing patches
            ("mammoseg.training.chosen.save_table", 1),
            ("mammoseg.training.run.fit_stage", 1),  # between choosing patches and training
            (STEP, 2),
            (STEP, steps + 2),
        ],
        "joint": [
            (STEP, 4 * steps + 2),
            (STEP, steps + 2),
            ("mammoseg.training.run._Run.finish", 1),  # all stages are done
            ("mammoseg.training.run.save_checkpoint", 1),
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_ends_like_one_that_was_not(
    stage: str,
    trained_run: Path,
    tiny_config: TrainConfig,
    phantom_study: Manifest,
    tmp_path: Path,
    dies: Callable[..., None],
) -> None:
    out, cache = tmp_path / "run", trained_run / "cache"
    rows = list(phantom_study.subset("train").rows())
    for target, call in kills(len(BalancedExamSampler(rows, 0)) // 8)[stage]:
        dies("train_run", (tiny_config.model_dump_json(), phantom_study.path, out, cache), target, call)
    train(tiny_config, phantom_study, out, CPU, cache_folder=cache)
    for name in STAGES:
        # The best epoch may be the first, so the weights alone do not show how the second one went.
        pd.testing.assert_frame_equal(epochs(out / "logs" / name), epochs(trained_run / "logs" / name))
        assert weights(out / "stages" / name) == weights(trained_run / "stages" / name)
    assert weights(out) == weights(trained_run)
    assert not [path for path in (out / "stages").rglob("*") if path.suffix in (".ckpt", ".part")]


def test_with_workers_it_is_the_same_run(
    trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest, tmp_path: Path, dies: Callable[..., None]
) -> None:
    cache = trained_run / "cache"
    dies("train_run", (tiny_config.model_dump_json(), phantom_study.path, tmp_path, cache), STEP, 5)
    train(tiny_config, phantom_study, tmp_path, CPU, workers=2, cache_folder=cache)
    assert weights(tmp_path) == weights(trained_run)


def test_a_finished_run_is_returned_at_once(
    trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "prepared", None)  # not even looked at
    before = files(trained_run)
    assert train(tiny_config, phantom_study, trained_run, CPU) == TrainingResult(trained_run / "checkpoint", 0)
    assert files(trained_run) == before


def test_a_damaged_result_is_made_again_from_the_stages(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(short, phantom_study, tmp_path, CPU, cache_folder=trained_run / "cache")
    expected = weights(tmp_path)
    (tmp_path / "checkpoint" / "weights.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(run_module, "fit_stage", None)
    train(short, phantom_study, tmp_path, CPU, cache_folder=trained_run / "cache")
    assert weights(tmp_path) == expected


def test_another_configuration_or_manifest_is_refused(
    trained_run: Path, tiny_config: TrainConfig, phantom_study: Manifest
) -> None:
    before = files(trained_run)
    other = tiny_config.model_copy(update={"seed": 1})
    fewer = Manifest(phantom_study.table.iloc[:-1], phantom_study.path)
    for config, manifest in ((other, phantom_study), (tiny_config, fewer)):
        with pytest.raises(TrainingError, match=r"holds a run with another configuration or manifest.*--overwrite"):
            train(config, manifest, trained_run, CPU)
    assert files(trained_run) == before


def test_overwrite_starts_anew(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = trained_run / "cache"
    with monkeypatch.context() as patch:
        fails_in(patch, "local")
        with pytest.raises(RuntimeError, match="stopped"):
            train(short, phantom_study, tmp_path, CPU, cache_folder=cache)
    first = weights(tmp_path / "stages" / "global")
    other = short.model_copy(update={"seed": 1})
    train(other, phantom_study, tmp_path, CPU, overwrite=True, cache_folder=cache)
    assert weights(tmp_path / "stages" / "global") != first
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 1
    for name in STAGES:
        assert [path.name for path in (tmp_path / "logs" / name).glob("version_*")] == ["version_0"]


def test_overwrite_deletes_nothing_in_a_folder_that_is_no_run(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mine.txt").touch()
    train(short, phantom_study, tmp_path, CPU, overwrite=True, cache_folder=trained_run / "cache")
    assert (tmp_path / "logs" / "mine.txt").exists()


def test_a_folder_whose_marker_is_of_this_run_is_continued_wherever_it_lies(
    trained_run: Path, short: TrainConfig, phantom_study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fails_in(patch, "joint")
        with pytest.raises(RuntimeError, match="stopped"):
            train(short, phantom_study, tmp_path / "here", CPU, cache_folder=trained_run / "cache")
    done = weights(tmp_path / "here" / "stages" / "local")
    (tmp_path / "here").rename(tmp_path / "there")
    train(short, phantom_study, tmp_path / "there", CPU, cache_folder=trained_run / "cache")
    assert weights(tmp_path / "there" / "stages" / "local") == done
