"""Cross-validation: of every image one prediction, by the run that has not seen its patient."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from mammoseg.cli.app import app
from mammoseg.config import to_yaml
from mammoseg.crossval import CrossValidated, cross_validate
from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.data.splits import SplitError
from mammoseg.evaluation.evaluate import evaluate
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.runs import load_prediction, predicted_ids
from mammoseg.training.config import TrainConfig

CPU = torch.device("cpu")
FOLDS = 3


@pytest.fixture(scope="module")
def config(tiny_config: TrainConfig) -> TrainConfig:
    once = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    return tiny_config.model_copy(update={"stages": once})


@pytest.fixture(scope="module")
def study(phantom_study: Manifest) -> Manifest:
    """With the three exams of the split test, as one that has no splits."""
    return replace(phantom_study, table=phantom_study.table.assign(split=None))


@pytest.fixture(scope="module")
def run(config: TrainConfig, study: Manifest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CrossValidated]:
    out = tmp_path_factory.mktemp("folds")
    return out, cross_validate(config, study, out, CPU, FOLDS)


def test_every_image_is_predicted_by_the_run_that_has_not_seen_its_patient(
    run: tuple[Path, CrossValidated], study: Manifest
) -> None:
    out, found = run
    assert found.failed == 0
    assert predicted_ids(found.predictions) == sorted(study.table["image_id"])
    folds = pd.read_csv(found.manifest, dtype=str).groupby("fold")["patient_id"].unique()
    assert sorted(map(len, folds)) == [4, 4, 4]
    for fold, patients in folds.items():
        own = load_manifest(out / f"fold-{fold}" / "manifest.csv").table
        assert set(own.loc[own["split"] == "test", "patient_id"]) == set(patients)
        assert set(own["split"]) == {"train", "val", "test"}
        row = next(row for row in study.rows() if row.patient_id in set(patients))
        expected = open_predictor(out / f"fold-{fold}" / "checkpoint", "cpu").predict(row)
        assert load_prediction(found.predictions, row.image_id).scores == pytest.approx(dict(expected.scores))


def test_the_predictions_are_evaluated_like_any_others(run: tuple[Path, CrossValidated], tmp_path: Path) -> None:
    _, found = run
    metrics = evaluate(found.predictions, load_manifest(found.manifest), tmp_path, bootstrap=20, by=["fold"])
    assert metrics["n_patients"] == 12
    assert len(metrics["by"]["fold"]["values"]) == FOLDS


def test_the_same_call_finds_everything_done(
    run: tuple[Path, CrossValidated], config: TrainConfig, study: Manifest
) -> None:
    out, found = run
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix in (".safetensors", ".npz")}
    assert cross_validate(config, study, out, CPU, FOLDS) == found
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_images_of_a_test_split_take_no_part(config: TrainConfig, phantom_study: Manifest, tmp_path: Path) -> None:
    """From the command line, where three exams are kept aside."""
    settings = tmp_path / "tiny.yaml"
    settings.write_text(to_yaml(config))
    command = ("train", "--recipe", "glam_small", "--config", settings, "--manifest", phantom_study.path)
    done = CliRunner().invoke(
        app, [*map(str, command), "--out", str(tmp_path / "run"), "--folds", "2", "--device", "cpu"]
    )
    assert done.exit_code == 0, done.output
    assert f"mammoseg evaluate --predictions {tmp_path / 'run' / 'predictions'}" in done.output.replace("\n", "")
    table = phantom_study.table
    assert predicted_ids(tmp_path / "run" / "predictions") == sorted(table.loc[table["split"] != "test", "image_id"])


@pytest.mark.parametrize("folds", [1, 13])
def test_folds_without_patients_are_refused(config: TrainConfig, study: Manifest, tmp_path: Path, folds: int) -> None:
    with pytest.raises(SplitError, match=f"{folds} folds of 12 patients; expected at least 2"):
        cross_validate(config, study, tmp_path / "run", CPU, folds)
    assert not (tmp_path / "run").exists()


def test_what_a_fold_could_not_learn_is_known_before(
    config: TrainConfig, study: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = study.table.copy()
    table.loc[table["patient_id"] != table["patient_id"].iloc[0], "benign"] = None
    with pytest.raises(SplitError, match="labels of benign are known in one of 3 folds alone"):
        cross_validate(config, replace(study, table=table), tmp_path / "run", CPU, FOLDS)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SplitError, match="Start the command without torchrun"):
        cross_validate(config, study, tmp_path / "run", CPU, FOLDS)
    assert not (tmp_path / "run").exists()


def test_a_model_that_learns_nothing_has_no_folds(study: Manifest, tmp_path: Path) -> None:
    with pytest.raises(SplitError, match=r"reference learns nothing.*without --folds"):
        cross_validate(TrainConfig(model="reference"), study, tmp_path, CPU, FOLDS)
    assert not list(tmp_path.iterdir())
