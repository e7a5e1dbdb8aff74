"""A folder never holds predictions of two models: what another one has left is predicted again, or refused."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference.augment import Displaced
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.inference.resume import inputs_of
from mammoseg.io.errors import RunFileError
from mammoseg.io.runs import load_prediction, predicted_ids, record_path
from mammoseg.io.scores_table import checked_scores

Contents = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def other(trained_run: Path) -> Predictor:
    """Another checkpoint of the same network."""
    return open_predictor(trained_run / "stages" / "global", "cpu")


@pytest.fixture
def left(other: Predictor, rows: list[ImageRow], tmp_path: Path) -> Path:
    """A folder with three images of the other checkpoint, and no run.json."""
    predict_images(other, rows[:3], tmp_path / "out")
    (tmp_path / "out" / "run.json").unlink()
    return tmp_path / "out"


def test_every_record_names_its_checkpoint_and_settings(
    predictor: Predictor, other: Predictor, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    makers = [load_prediction(expected, row.image_id).made_by for row in rows]
    assert makers[0]["checkpoint_sha256"] == predictor.engine.checkpoint.sha256
    assert all(maker == makers[0] for maker in makers)
    found = [makers[0]]
    for name, model, num_tta in (("other", other, 0), ("windows", predictor, 2)):
        model = Predictor(Displaced(model.engine, num_tta)) if num_tta else model
        predict_images(model, rows[:1], tmp_path / name)
        found.append(load_prediction(tmp_path / name, rows[0].image_id).made_by)
    assert len({maker["settings_sha256"] for maker in found}) == 3
    assert len({maker["checkpoint_sha256"] for maker in found}) == 2


def test_what_another_checkpoint_left_is_predicted_again(
    left: Path,
    predictor: Predictor,
    rows: list[ImageRow],
    expected: Path,
    contents: Contents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert predict_images(predictor, rows, left) == BatchResult(predicted=8, done_before=0, failed=0)
    assert "3 images are predicted again: they were predicted by another checkpoint" in caplog.text
    assert contents(left) == contents(expected)
    assert len(checked_scores(left).table.query("level == 'image'")) == 8


def test_what_another_checkpoint_left_of_other_images_is_refused(
    left: Path, predictor: Predictor, rows: list[ImageRow], contents: Contents
) -> None:
    before = contents(left)
    with pytest.raises(
        RunFileError, match=r"holds predictions of 1 other images, e\.g\. .*of another checkpoint.*--overwrite"
    ):
        predict_images(predictor, [*rows[:2], *rows[3:]], left)
    assert contents(left) == before
    assert predict_images(predictor, rows[:2], left, overwrite=True) == BatchResult(2, 0, 0)
    assert predicted_ids(left) == sorted(row.image_id for row in rows[:2])


def test_a_lost_run_json_is_written_again_by_the_same_checkpoint(
    left: Path, other: Predictor, rows: list[ImageRow]
) -> None:
    assert predict_images(other, rows[:3], left) == BatchResult(predicted=0, done_before=3, failed=0)
    assert json.loads((left / "run.json").read_text())["checkpoint_sha256"] == other.engine.checkpoint.sha256


def test_a_record_of_another_folder_is_not_counted(
    other: Predictor, predictor: Predictor, rows: list[ImageRow], expected: Path, tmp_path: Path
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    predict_images(predictor, rows[:2], out)
    predict_images(other, rows[:1], elsewhere)
    shutil.copytree(elsewhere / "records", out / "records", dirs_exist_ok=True)
    with pytest.raises(RunFileError, match="holds predictions of 2 checkpoints or settings"):
        checked_scores(out)
    assert predict_images(predictor, rows[:2], out) == BatchResult(predicted=1, done_before=1, failed=0)
    for row in rows[:2]:
        assert load_prediction(out, row.image_id).scores == load_prediction(expected, row.image_id).scores


def test_a_folder_of_the_version_before_is_predicted_again(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its records name no checkpoint, and their files by size and time."""
    predict_images(predictor, rows[:2], tmp_path)
    for row in rows[:2]:
        path = record_path(tmp_path, row.image_id)
        record = json.loads(path.read_text())
        del record["made_by"], record["files"]
        status = row.path.stat()
        path.write_text(json.dumps(record | {"inputs": {"files": [[status.st_size, status.st_mtime_ns]]}}))
    assert len(checked_scores(tmp_path).table.query("level == 'image'")) == 2, "evaluation reads it"
    with pytest.raises(RunFileError, match=r"of another checkpoint or of an earlier version.*--overwrite"):
        predict_images(predictor, rows[:1], tmp_path)
    assert predict_images(predictor, rows[:2], tmp_path) == BatchResult(predicted=2, done_before=0, failed=0)
    assert "or by an earlier version" in caplog.text


def test_records_of_the_earlier_format_are_read_and_made_again(
    predictor: Predictor,
    rows: list[ImageRow],
    tmp_path: Path,
    expected: Path,
    contents: Contents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of this very checkpoint, these settings and files, but without findings and the file of the image."""
    out = tmp_path / "out"
    predict_images(predictor, rows[:3], out)
    new = contents(out)
    for row in rows[:2]:
        path = record_path(out, row.image_id)
        record = json.loads(path.read_text())
        del record["findings"], record["source"]
        path.write_text(json.dumps(record | {"format": 1}))
        assert load_prediction(out, row.image_id).findings == load_prediction(expected, row.image_id).findings
    assert len(checked_scores(out).table.query("level == 'image'")) == 3
    away = replace(rows[1], path=tmp_path / "away.png")
    assert predict_images(predictor, [rows[0], away, rows[2]], out) == BatchResult(1, 1, 1)
    assert load_prediction(out, away.image_id).findings, "what cannot be made again stays"
    assert predict_images(predictor, rows[:3], out) == BatchResult(predicted=1, done_before=2, failed=0)
    assert "1 images are predicted again: an earlier version noted neither findings nor the file" in caplog.text
    assert contents(out) == new


def test_images_of_another_checkpoint_that_cannot_be_read_stay_apart(
    left: Path, predictor: Predictor, rows: list[ImageRow], tmp_path: Path
) -> None:
    away = [replace(row, path=tmp_path / "away.png") for row in rows[:3]]
    with pytest.raises(RunFileError, match=r"run\.json: is about another checkpoint"):
        predict_images(predictor, away, left)
    assert len(predicted_ids(left)) == 3


def test_what_no_image_can_be_is_not_hashed(rows: list[ImageRow], tmp_path: Path) -> None:
    """A terabyte of holes would take an hour."""
    with (tmp_path / "holes.png").open("wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("holes.png", "pipe.png", "missing.png"):
        assert inputs_of(replace(rows[0], path=tmp_path / name), heatmaps=())["files"] == [None]
