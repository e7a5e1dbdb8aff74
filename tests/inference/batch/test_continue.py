"""A predictions run that is killed, or finds the disk full, leaves nothing half-written and is continued."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference import pipeline
from mammoseg.inference.batch import BatchResult, predict_images
from mammoseg.inference.predictor import Predictor
from mammoseg.io.failures import Failures
from mammoseg.io.runs import is_done, predicted_ids

Contents = Callable[[Path], dict[str, Any]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "call", "done"),
    [
        ("mammoseg.inference.predictor.Predictor.predict_unit", 4, None),
        ("os.fsync", 8, 1),  # run.json, 4 files of the first image, 3 of the second: its record is not there
        ("os.fsync", 9, 1),  # the record is written, but has not its name yet
        ("mammoseg.inference.batch.write_predictions_csv", 1, 48),
    ],
)
def test_a_killed_run_continues(
    contents: Contents,
    target: str,
    call: int,
    done: int | None,
    predictor: Predictor,
    trained_run: Path,
    phantom_study: Manifest,
    rows: list[ImageRow],
    expected: Path,
    tmp_path: Path,
    dies: Callable[..., None],
) -> None:
    dies("predict_run", (trained_run, phantom_study.path, tmp_path), target, call)
    """`done`: images at that moment; None: it depends on how far the writing is behind."""
    assert done in (None, len(predicted_ids(tmp_path)))
    done_before = sum(is_done(tmp_path, row.image_id) for row in rows)
    result = predict_images(predictor, rows, tmp_path)
    assert result == BatchResult(predicted=8 - done_before, done_before=done_before, failed=0)
    whole = contents(tmp_path)
    for name, content in contents(expected).items():
        assert name == "predictions.csv" or whole[name] == content


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("written", [0, 4, 6, 14])
def test_a_full_disk_stops_with_advice_and_nothing_half_written(
    contents: Contents,
    number: int,
    written: int,
    predictor: Predictor,
    rows: list[ImageRow],
    expected: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, fsync = iter(range(written)), os.fsync

    def full(file: int) -> None:
        if next(left, None) is None:
            raise OSError(number, "No space left on device")
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"the disk is full.*Free space and start the same command again") as caught:
            predict_images(predictor, rows, tmp_path, workers=3)
    assert caught.value.errno == number
    complete = contents(expected)
    for name, content in contents(tmp_path).items():
        assert content == complete[name]
    assert predict_images(predictor, rows, tmp_path).failed == 0
    assert contents(tmp_path) == complete


def test_a_full_disk_while_drawing_stops_too(predictor: Predictor, rows: list[ImageRow], tmp_path: Path) -> None:
    def draw(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="the disk is full"):
        predict_images(predictor, rows, tmp_path, before_saving=draw)
    assert predicted_ids(tmp_path) == []
    assert not (tmp_path / "errors.csv").exists()


def test_another_error_of_the_disk_is_an_error_of_the_image(
    predictor: Predictor, rows: list[ImageRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "denied")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "save_prediction", denied)
        assert predict_images(predictor, rows[:1], tmp_path).failed == 1
    assert Failures(tmp_path).read()["step"].tolist() == ["write"]
