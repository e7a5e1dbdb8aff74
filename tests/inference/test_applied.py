"""A calibration is found beside the checkpoint, applied to what it was made of, and changes no score."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.calibrate import calibrate
from mammoseg.calibration.stored import CalibrationError
from mammoseg.data.manifest import Manifest
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.calibration import FILE, stored_calibration, write_calibration
from mammoseg.io.runs import read_run
from mammoseg.io.scores_table import checked_scores, read_predictions_csv
from mammoseg.nn.checkpoint import CheckpointError

Write = Callable[..., Manifest]


@pytest.fixture(scope="module")
def calibrated(tiny_gmic: Callable[..., Path], write_scored_study: Write, tmp_path_factory: Any) -> Path:
    """A checkpoint with a calibration that was made of scores under its name."""
    folder, root = tiny_gmic(0), tmp_path_factory.mktemp("scored")
    manifest = write_scored_study(root, open_predictor(folder, "cpu").settings, patients=60)
    made = calibrate(root / "predictions", manifest, at="sensitivity=0.9")
    write_calibration(folder / FILE, made.calibration)
    return folder


def test_predictions_have_it_beside_the_scores(calibrated: Path, phantom_study: Manifest, tmp_path: Path) -> None:
    rows = list(phantom_study.subset("test").rows())
    predictor = open_predictor(calibrated, "cpu")
    predict_images(predictor, rows, tmp_path / "with")
    table = read_predictions_csv(tmp_path / "with")
    assert list(table)[-2:] == ["calibrated_malignant", "recalled_malignant"]
    assert (
        stored_calibration(tmp_path / "with") == predictor.calibration == checked_scores(tmp_path / "with").calibration
    )
    images, breasts, exams = (table[table["level"] == level] for level in ("image", "breast", "exam"))
    calibration = predictor.calibration
    assert calibration is not None
    scores = breasts["malignant"].to_numpy(float)
    assert breasts["calibrated_malignant"].to_numpy() == pytest.approx(calibration.probabilities("malignant", scores))
    assert breasts["recalled_malignant"].tolist() == calibration.recalled("malignant", scores).tolist()  # type: ignore[union-attr]
    assert images[["calibrated_malignant", "recalled_malignant"]].isna().all(axis=None)
    assert exams["calibrated_malignant"].isna().all()
    any_breast = breasts.groupby("exam_id")["recalled_malignant"].max()
    assert exams.set_index("exam_id")["recalled_malignant"].to_dict() == any_breast.to_dict()


def test_scores_records_and_what_made_them_are_the_same_without_it(
    calibrated: Path, tiny_gmic: Callable[..., Path], phantom_study: Manifest, tmp_path: Path
) -> None:
    rows = list(phantom_study.subset("val").rows())
    predict_images(open_predictor(tiny_gmic(0), "cpu"), rows, tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "records").iterdir()}
    plain = read_predictions_csv(tmp_path)
    run = read_run(tmp_path)
    result = predict_images(open_predictor(calibrated, "cpu"), rows, tmp_path)
    assert (result.predicted, result.done_before) == (0, len(rows))
    assert {path.name: path.read_bytes() for path in (tmp_path / "records").iterdir()} == before
    assert read_run(tmp_path) == run
    after = read_predictions_csv(tmp_path)
    assert after[list(plain)].equals(plain)
    assert "calibrated_malignant" in after
    predict_images(open_predictor(tiny_gmic(0), "cpu"), rows, tmp_path)
    assert read_predictions_csv(tmp_path).equals(plain)
    assert not (tmp_path / FILE).exists()
    predict_images(open_predictor(calibrated, "cpu"), rows, tmp_path, overwrite=True)
    assert "recalled_malignant" in read_predictions_csv(tmp_path)


def test_other_settings_or_weights_have_other_scores(
    calibrated: Path, tiny_gmic: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert open_predictor(calibrated, "cpu").calibration is not None
    assert open_predictor(calibrated, "cpu", precision="bf16-mixed").calibration is not None
    for changes in ({"displaced": 2}, {"sets": ["num_patches=2"]}):
        caplog.clear()
        assert open_predictor(calibrated, "cpu", **changes).calibration is None  # type: ignore[arg-type]
        assert "is not applied" in caplog.text
    with pytest.raises(CalibrationError, match="made from the scores of another checkpoint"):
        open_predictor(tiny_gmic(1), "cpu", calibration=calibrated / FILE)
    with pytest.raises(CalibrationError, match="there is no calibration"):
        open_predictor(calibrated, "cpu", calibration=calibrated / "x.json")
    assert open_predictor(tiny_gmic(0), "cpu", calibration=calibrated / FILE).calibration is not None


def test_an_ensemble_has_one_of_its_own(
    calibrated: Path, tiny_gmic: Callable[..., Path], write_scored_study: Write, tmp_path: Path
) -> None:
    """In the folder of the members; that of a member is about its own scores."""
    ensemble = tmp_path / "ensemble"
    for number, folder in enumerate((calibrated, tiny_gmic(1)), start=1):
        (ensemble / str(number)).mkdir(parents=True)
        for file in folder.iterdir():
            (ensemble / str(number) / file.name).write_bytes(file.read_bytes())
    predictor = open_predictor(ensemble, "cpu")
    assert predictor.calibration is None
    manifest = write_scored_study(tmp_path / "scored", predictor.settings, patients=60)
    made = calibrate(tmp_path / "scored" / "predictions", manifest).calibration
    write_calibration(ensemble / FILE, made)
    assert open_predictor(ensemble, "cpu").calibration == made
    members = [ensemble / "1", ensemble / "2"]
    assert open_predictor(members, "cpu").calibration is None
    assert open_predictor(members, "cpu", calibration=ensemble / FILE).calibration == made


def test_a_damaged_one_is_told(tiny_gmic: Callable[..., Path]) -> None:
    folder = tiny_gmic(3)
    (folder / FILE).write_text("{}")
    with pytest.raises(CalibrationError, match="damaged"):
        open_predictor(folder, "cpu")
    with pytest.raises(CheckpointError):
        open_predictor(folder / "nothing", "cpu")
