"""Segmentations and reports of others are read, and what they could cost is bounded."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset, uid
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset

from mammoseg.io.dicom.objects import MOST_HEADER_BYTES, frame_of, read_object, sop_class_of
from mammoseg.io.errors import ImageReadError

SEG = "1.2.840.10008.5.1.4.1.1.66.4"


def write(path: Path, syntax: str = uid.ExplicitVRLittleEndian, **elements: Any) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = SEG, "1.2.3"
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("name", ["liver_1frame.dcm", "liver_expb_1frame.dcm"])
def test_the_segmentations_that_come_with_pydicom(name: str) -> None:
    """A bit a pixel, little and big endian."""
    path = Path(str(get_testdata_file(name, download=False)))
    assert sop_class_of(path) == SEG
    assert np.array_equal(frame_of(read_object(path, pixels=True), 0), pydicom.dcmread(path).pixel_array)


def test_a_deflated_object(tmp_path: Path) -> None:
    path = write(tmp_path / "a", uid.DeflatedExplicitVRLittleEndian, ContentLabel="LESION")
    assert read_object(path).ContentLabel == "LESION"


def test_a_deflated_object_that_inflates_without_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a", uid.DeflatedExplicitVRLittleEndian)
    content = path.read_bytes()
    body = content.index(b"1.2.840.10008.1.2.1.99") + 22
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(bytes(MOST_HEADER_BYTES * 16)) + packer.flush()
    path.write_bytes(content[: len(content) - len(content[body:])] + bomb)
    with pytest.raises(ImageReadError):
        read_object(path)


def test_a_header_that_is_too_long(tmp_path: Path) -> None:
    path = write(tmp_path / "a", **{"ContentDescription": "x"})
    path.write_bytes(path.read_bytes() + b"\x08\x00\x01\x10UT\0\0\x10\0\0\0" + b"y" * 16 + bytes(MOST_HEADER_BYTES))
    with pytest.raises(ImageReadError):
        read_object(path)


def test_frames_that_are_compressed_in_another_way_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a", Rows=4, Columns=4, BitsAllocated=8)
    dataset = read_object(path)
    dataset.file_meta.TransferSyntaxUID = uid.JPEG2000Lossless
    with pytest.raises(ImageReadError, match="uncompressed"):
        frame_of(dataset, 0)


@pytest.mark.parametrize(
    "elements",
    [
        {"Rows": 65535, "Columns": 65535, "BitsAllocated": 1},
        {"Rows": 4, "Columns": 4, "BitsAllocated": 32},
        {"Rows": 4, "Columns": 4, "BitsAllocated": 8},
        {},
    ],
)
def test_frames_that_cannot_be(elements: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ImageReadError):
        frame_of(read_object(write(tmp_path / "a", **elements), pixels=True), 0)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\xff" * 500])
def test_what_is_no_object(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert sop_class_of(tmp_path / "a") == ""
    with pytest.raises(ImageReadError):
        read_object(tmp_path / "a")
