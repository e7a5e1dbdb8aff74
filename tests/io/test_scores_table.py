"""The table of scores: collected from the records, read back, and refused where it says something else than they do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.calibrate import calibrate
from mammoseg.data.manifest import Manifest
from mammoseg.io.calibration import FILE, write_calibration
from mammoseg.io.errors import RunFileError
from mammoseg.io.runs import made_by, record_path, save_prediction, write_run
from mammoseg.io.scores_table import checked_scores, read_predictions_csv, write_predictions_csv
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction

SETTINGS = {"checkpoint_sha256": "c0", "prep": {"window": [48, 40]}, "limit": float("inf")}
OTHERS = {**SETTINGS, "checkpoint_sha256": "c1"}


def prediction(image_id: str, exam: str, side: str, scores: dict[str, float], **parts: float) -> Prediction:
    grid = PixelGrid((60, 50), (60, 50), True, 4, -3, 48, 40, (48, 40))
    maps = {"saliency": np.zeros((len(scores), 4, 4))}
    return Prediction(
        *(image_id, "007", exam, side, "CC", scores, grid, maps),
        parts={name: dict.fromkeys(scores, value) for name, value in parts.items()},
    )


def scored(image_id: str, exam: str, side: str, benign: float, malignant: float, **parts: float) -> Prediction:
    return prediction(image_id, exam, side, {"benign": benign, "malignant": malignant}, **parts)


def test_predictions_csv(tmp_path: Path) -> None:
    for made in (
        scored("b2", "e1", "R", 0.5, 0.1),
        scored("a1", "e1", "L", 0.2, 0.4, local=0.5),
        scored("a2", "e1", "L", 0.4, 0.8),
        scored("NA", "NA", "L", 0.0, 1.0),
    ):
        save_prediction(tmp_path, made)
    returned = write_predictions_csv(tmp_path)
    table = read_predictions_csv(tmp_path)
    pd.testing.assert_frame_equal(returned, table, check_dtype=False)
    assert list(table) == [
        *("level", "patient_id", "exam_id", "image_id", "laterality", "view"),
        *("benign", "malignant", "local_benign", "local_malignant"),
    ]
    assert table["level"].tolist() == ["image"] * 4 + ["breast"] * 3 + ["exam"] * 2
    assert table["image_id"].tolist() == ["NA", "a1", "a2", "b2", "", "", "", "", ""]
    assert table["patient_id"].tolist() == ["007"] * 9
    breast = table[(table["level"] == "breast") & (table["exam_id"] == "e1")].set_index("laterality")
    np.testing.assert_allclose(breast.loc["L", ["benign", "malignant"]].astype(float), [0.3, 0.6])
    assert breast.loc["L", "local_benign"] == 0.5
    assert np.isnan(breast.loc["R", "local_benign"])
    exam = table[(table["level"] == "exam") & (table["exam_id"] == "e1")].iloc[0]
    np.testing.assert_allclose(exam[["benign", "malignant"]].astype(float), [0.5, 0.6])
    assert exam["laterality"] == ""


@pytest.mark.filterwarnings("error")
def test_predictions_csv_of_one_class(tmp_path: Path) -> None:
    for name, side, score in (("a1", "L", 0.2), ("a2", "L", 0.4), ("b1", "R", 0.1)):
        save_prediction(tmp_path, prediction(name, "e1", side, {"malignant": score}, **{"global": score / 2}))
    returned = write_predictions_csv(tmp_path)
    header, first, *_ = (tmp_path / "predictions.csv").read_text().splitlines()
    assert header.endswith(",benign,malignant,global_benign,global_malignant")
    assert first == "image,007,e1,a1,L,CC,,0.2,,0.1"
    table = read_predictions_csv(tmp_path)
    pd.testing.assert_frame_equal(returned, table, check_dtype=False)
    assert table[["benign", "global_benign"]].isna().all(axis=None)
    assert table["benign"].dtype == np.float64
    np.testing.assert_allclose(table["malignant"], [0.2, 0.4, 0.1, 0.3, 0.1, 0.3])
    assert table["level"].tolist() == ["image"] * 3 + ["breast"] * 2 + ["exam"]


def test_predictions_csv_of_nothing(tmp_path: Path) -> None:
    assert len(write_predictions_csv(tmp_path)) == 0
    assert list(read_predictions_csv(tmp_path))[-2:] == ["benign", "malignant"]


@pytest.mark.parametrize(
    "text", ["", "level,benign\n", "level,patient_id,exam_id,image_id,laterality,view,benign,malignant\nx,,,,,,0,0\n"]
)
def test_damaged_predictions_csv(tmp_path: Path, text: str) -> None:
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(RunFileError, match="damaged"):
        read_predictions_csv(tmp_path)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        RunFileError, match=r"predictions\.csv is missing; expected a finished run\. Run mammoseg predict again"
    ):
        read_predictions_csv(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images of one checkpoint, with their table."""
    write_run(tmp_path, {"mammoseg": "0.1", **SETTINGS})
    for made in (
        scored("a1", "e1", "L", 0.2, 1 / 3),
        scored("a2", "e1", "L", 0.4, 0.8, local=0.1),
        scored("b1", "e1", "R", 0.5, 1e-9),
    ):
        save_prediction(tmp_path, replace(made, made_by=made_by(SETTINGS)))
    write_predictions_csv(tmp_path)
    return tmp_path


def test_scores_are_those_of_the_records(folder: Path) -> None:
    table = checked_scores(folder).table
    assert table["malignant"].tolist()[:3] == [1 / 3, 0.8, 1e-9]
    pd.testing.assert_frame_equal(table, read_predictions_csv(folder), check_dtype=False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda lines: [*lines, lines[1]], "other rows than those of images"),
        (lambda lines: [*lines[:2], lines[2].replace("0.8", "5.6"), *lines[3:]], "1 images differ, e.g. a2"),
        (lambda lines: [*lines[:2], lines[2].replace("0.8", "-0.8"), *lines[3:]], "1 images differ, e.g. a2"),
        (lambda lines: [*lines[:2], lines[2].replace("0.8", "0.81"), *lines[3:]], "1 images differ, e.g. a2"),
        (lambda lines: [lines[0], *lines[2:]], "1 images differ, e.g. a1"),
        (lambda lines: [*lines[:-1], lines[-1].replace("0.5", "0.6")], "other rows than those of images"),
        (lambda lines: [line.rpartition(",")[0] for line in lines], "3 images differ, e.g. a1, a2, b1"),
    ],
    ids=["twice", "5.6", "negative", "changed", "left out", "exam", "column"],
)
def test_a_table_that_was_changed(folder: Path, change: Callable[[list[str]], list[str]], named: str) -> None:
    path = folder / "predictions.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")
    assert path.read_text().splitlines() != lines
    with pytest.raises(
        RunFileError, match=rf"does not say what the records say \(.*{named}.*Run the same mammoseg predict"
    ):
        checked_scores(folder)


def test_records_of_two_models_are_refused(folder: Path) -> None:
    save_prediction(folder, replace(scored("c1", "e1", "R", 0.5, 0.5), made_by=made_by(OTHERS)))
    with pytest.raises(
        RunFileError, match=r"of 2 checkpoints or settings: 3 \(e\.g\. a1\), 1 \(e\.g\. c1\) images.*--overwrite"
    ):
        write_predictions_csv(folder)


def test_run_json_of_another_model_is_refused(folder: Path) -> None:
    write_run(folder, {"mammoseg": "0.1", **OTHERS})
    with pytest.raises(
        RunFileError, match=r"run\.json: is about another checkpoint or other settings than the records"
    ):
        checked_scores(folder)


def forget_model(folder: Path, image_id: str) -> None:
    path = record_path(folder, image_id)
    record = json.loads(path.read_text())
    del record["made_by"]
    path.write_text(json.dumps(record))


def test_records_of_an_earlier_version_do_not_say_their_model(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    forget_model(folder, "a1")
    with pytest.raises(RunFileError, match="of 2 checkpoints or settings"):
        checked_scores(folder)
    for name in ("a2", "b1"):
        forget_model(folder, name)
    assert len(checked_scores(folder).table) == 6
    assert "of an earlier version and do not say which checkpoint they are of" in caplog.text


def test_the_model_of_a_record_does_not_depend_on_the_version(folder: Path) -> None:
    write_run(folder, {"mammoseg": "9", **SETTINGS})
    assert len(checked_scores(folder).table) == 6


def test_ids_are_no_formulas_and_read_back(tmp_path: Path) -> None:
    save_prediction(tmp_path, scored("a1", "=1+1", "L", 0.0, 1e-300))
    write_predictions_csv(tmp_path)
    assert (tmp_path / "predictions.csv").read_text().splitlines()[1] == "image,007,'=1+1,a1,L,CC,0.0,1e-300"
    assert set(read_predictions_csv(tmp_path)["exam_id"]) == {"=1+1"}
    assert checked_scores(tmp_path).table["exam_id"].tolist() == ["=1+1"] * 3


def test_a_calibration_of_other_scores_and_a_part_of_its_name_are_refused(
    write_scored_study: Callable[..., Manifest], tmp_path: Path
) -> None:
    folder = tmp_path / "predictions"
    made = calibrate(folder, write_scored_study(tmp_path, patients=60)).calibration
    write_calibration(folder / FILE, made)
    assert list(write_predictions_csv(folder))[-1] == "calibrated_malignant"
    assert checked_scores(folder).classes == ("benign", "malignant")
    assert checked_scores(folder).parts == ()
    path = record_path(folder, "p000LCC")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "parts": {"calibrated": {"benign": 0.5, "malignant": 0.5}}}))
    with pytest.raises(RunFileError, match="calibrated_malignant would be twice a column"):
        write_predictions_csv(folder)
    path.write_text(json.dumps(record))
    write_calibration(folder / FILE, made.model_copy(update={"scores_sha256": "0" * 64}))
    with pytest.raises(RunFileError, match="was made from the scores of another model"):
        write_predictions_csv(folder)
    names = {"patient_id": made.classes["malignant"], "malignant": made.classes["malignant"]}
    write_calibration(folder / FILE, made.model_copy(update={"classes": names}))
    assert list(write_predictions_csv(folder))[-1] == "calibrated_malignant"
