"""Every decoder is really tried, and one that is broken is named with its package."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.installation import decoding
from mammoseg.installation.decoding import check_decoding
from mammoseg.installation.samples import SAMPLES
from mammoseg.io.errors import ImageReadError
from mammoseg.records.check import Check


def checks() -> dict[str, Check]:
    return {check.subject: check for check in check_decoding()}


def test_all_of_them_work_here() -> None:
    assert {check.result for check in check_decoding()} == {"PASS"}
    assert list(checks()) == [*(f"DICOM {sample.name}" for sample in SAMPLES), "pictures"]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.stream], ids=lambda sample: sample.name)
def test_other_pixels_are_noticed(monkeypatch: pytest.MonkeyPatch, sample: Any) -> None:
    monkeypatch.setattr(decoding, "SAMPLES", [replace(sample, image=sample.image + np.uint16(8))])
    found = checks()[f"DICOM {sample.name}"]
    assert (found.result, found.found.partition(" (")[0]) == ("FAIL", "other pixels come out than were put in")


def test_a_decoder_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> None:
        raise ImageReadError(f"{path}: JPEG lossless needs GDCM. Expected the package python-gdcm. Install it.")

    monkeypatch.setattr(decoding, "read_dicom_pixels", fails)
    found = checks()["DICOM JPEG lossless"]
    assert found.result == "FAIL"
    assert found.found == "JPEG lossless needs GDCM (python-gdcm)"
    assert found.remedy == "pip install --force-reinstall python-gdcm"
    assert checks()["pictures"].result == "PASS"


def test_pictures_of_eight_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "read_pixels", lambda path: np.zeros((8, 8), np.uint8))
    assert checks()["pictures"].found.startswith("16 bits are lost in PNG and TIFF")


def test_no_room_for_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert [check.result for check in check_decoding()] == ["FAIL"]
    assert "TMPDIR" in check_decoding()[0].remedy
