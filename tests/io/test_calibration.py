"""The file of a calibration: written, read, and refused when it is something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from mammoseg.calibrate import calibrate
from mammoseg.calibration.stored import Calibration, CalibrationError
from mammoseg.data.manifest import Manifest
from mammoseg.io.calibration import FILE, keep_calibration, read_calibration, stored_calibration, write_calibration


@pytest.fixture(scope="module")
def made(scored_study: Manifest) -> Calibration:
    predictions = scored_study.path.parent / "predictions"
    return calibrate(predictions, scored_study, at="sensitivity=0.9").calibration


def test_is_read_as_it_was_written(made: Calibration, tmp_path: Path) -> None:
    write_calibration(tmp_path / FILE, made)
    assert read_calibration(tmp_path / FILE) == read_calibration(tmp_path) == stored_calibration(tmp_path) == made
    assert read_calibration(tmp_path).sha256 == made.sha256


def test_a_folder_keeps_one_or_none(made: Calibration, tmp_path: Path) -> None:
    assert stored_calibration(tmp_path) is None
    keep_calibration(tmp_path, made)
    assert stored_calibration(tmp_path) == made
    keep_calibration(tmp_path, None)
    keep_calibration(tmp_path, None)
    assert stored_calibration(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "[1]", "{}", "not JSON", "[" * 100_000, '{"format": 1, "classes": {"a": {}}}', "\xff"]
)
def test_refuses_another_file(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(CalibrationError, match=r"calibration\.json: damaged, or of another version"):
        read_calibration(tmp_path)


def test_refuses_a_change_that_makes_no_sense_and_tells_which(made: Calibration, tmp_path: Path) -> None:
    write_calibration(tmp_path / FILE, made)
    said: Any = json.loads((tmp_path / FILE).read_text())
    said["classes"]["malignant"]["fit"]["slope"] = -1
    (tmp_path / FILE).write_text(json.dumps(said))
    with pytest.raises(CalibrationError, match=r"malignant.fit: .*lacks its numbers, or falls"):
        read_calibration(tmp_path)


def test_says_that_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"there is no calibration.*mammoseg calibrate"):
        read_calibration(tmp_path / "x.json")
