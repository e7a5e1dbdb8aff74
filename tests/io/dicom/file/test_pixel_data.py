"""Files in every outer form are found to hold the same pixels; what is no image of reasonable size is not read."""

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from mammoseg.io.dicom import file
from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.file import PixelData, open_dicom
from mammoseg.io.dicom.pixels import read_dicom_pixels

GREY = np.arange(20 * 16).reshape(20, 16)


def read_source(path: Path) -> PixelData:
    with open_dicom(path) as opened:
        return opened.pixel_data()


def without_meta(path: Path) -> bytes:
    """The bare data set."""
    data = path.read_bytes()
    return data[132 + 12 + struct.unpack("<I", data[140:144])[0] :]


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big endian"])
@pytest.mark.parametrize("bits", [8, 12])
def test_without_preamble_and_file_meta_information(make_dicom: Any, syntax: str, bits: int) -> None:
    path = make_dicom(GREY % 256, syntax, bits=bits)
    path.write_bytes(without_meta(path))
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY % 256)


@pytest.mark.parametrize("syntax", ["explicit", "JPEG-LS", "RLE"])
def test_without_preamble(make_dicom: Any, syntax: str) -> None:
    path = make_dicom(GREY, syntax)
    path.write_bytes(path.read_bytes()[132:])
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


def test_compressed_without_file_meta_information(make_dicom: Any) -> None:
    path = make_dicom(GREY, "JPEG-LS")
    path.write_bytes(without_meta(path))
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)
    path = make_dicom(GREY, "RLE")
    path.write_bytes(without_meta(path))
    with pytest.raises(DicomReadError, match="neither JPEG, JPEG-LS nor JPEG 2000"):
        read_dicom_pixels(path)


def test_implicit_file_that_calls_itself_explicit(make_dicom: Any) -> None:
    implicit, explicit = make_dicom(GREY, "implicit", name="i.dcm"), make_dicom(GREY)
    whole, bare = explicit.read_bytes(), without_meta(explicit)
    explicit.write_bytes(whole[: -len(bare)] + without_meta(implicit))
    np.testing.assert_array_equal(read_dicom_pixels(explicit).pixels, GREY)


def test_implicit_pixel_data_whose_length_looks_like_a_vr(make_dicom: Any) -> None:
    """0x4242 bytes: in an explicit file "BB" would be the VR."""
    stored = np.arange(257 * 33).reshape(257, 33) % 4096
    np.testing.assert_array_equal(read_dicom_pixels(make_dicom(stored, "implicit")).pixels, stored)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"no DICOM file at all, but long enough to be one" * 20, "not a DICOM file"),
        (b"\0" * 128 + b"DICM", "damaged or cut short"),
        (b"\0" * 5000, "not a DICOM file"),
    ],
)
def test_what_is_no_image(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    with pytest.raises(DicomReadError, match=message):
        read_source(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("pipe", "no regular file"), (".", "Is a directory"), ("missing", "No such file")):
        with pytest.raises(DicomReadError, match=message):
            read_source(tmp_path / name)


def test_pixels_that_are_missing_or_numbers_of_another_kind(make_dicom: Any) -> None:
    path = make_dicom(GREY)
    data = path.read_bytes()
    head = data[: -GREY.size * 2 - 12]
    path.write_bytes(head)
    with pytest.raises(DicomReadError, match="holds no pixel data"):
        read_source(path)
    path.write_bytes(head + struct.pack("<HH2sHI", 0x7FE0, 8, b"OF", 0, 4 * GREY.size) + bytes(4 * GREY.size))
    with pytest.raises(DicomReadError, match="floating-point"):
        read_source(path)


def test_far_too_many_pixels_are_not_read(make_dicom: Any) -> None:
    path = make_dicom(GREY)
    data = bytearray(path.read_bytes())
    at = len(data) - 2 * GREY.size - 4
    data[at : at + 4] = struct.pack("<I", 3 << 20)
    path.write_bytes(data + bytes(3 << 20))
    with pytest.raises(DicomReadError, match="far more than 20 x 16 pixels take"):
        read_source(path)


@pytest.mark.parametrize("length", [0xFFFFFFFE, 0x7FFFFFFF])
def test_a_length_of_gigabytes_takes_no_memory(make_dicom: Any, length: int) -> None:
    path = make_dicom(GREY)
    data = bytearray(path.read_bytes())
    data[-2 * GREY.size - 4 : -2 * GREY.size] = struct.pack("<I", length)
    path.write_bytes(data)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)  # all of the pixels are there
    path.write_bytes(data[:-2])
    with pytest.raises(DicomReadError, match=r"638 bytes of pixels for 20 x 16"):
        read_dicom_pixels(path)


def test_deflated_bomb(make_dicom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_dicom(GREY, "deflated")
    data = path.read_bytes()
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(without_meta(make_dicom(GREY)) + bytes(1 << 20)) + packer.flush()
    path.write_bytes(data[: 144 + struct.unpack("<I", data[140:144])[0]] + bomb)
    monkeypatch.setattr(file, "_MOST_INFLATED", 1 << 16)
    with pytest.raises(DicomReadError, match="deflated file is larger than any image"):
        read_source(path)


def test_nesting_without_end(make_dicom: Any) -> None:
    inner = Dataset()
    for _ in range(5):
        outer = Dataset()
        outer.VOILUTSequence = [inner]
        inner = outer
    path = make_dicom(GREY)
    data = path.read_bytes()
    opening = struct.pack("<HH2sHI", 0x28, 0x3010, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    at = len(data) - 2 * GREY.size - 12
    path.write_bytes(data[:at] + 5000 * opening + data[at:])
    with pytest.raises(DicomReadError, match="nested too deep"):
        read_source(path)


def test_a_header_of_very_many_elements(make_dicom: Any) -> None:
    path = make_dicom(GREY)
    data = path.read_bytes()
    at = len(data) - 2 * GREY.size - 12
    path.write_bytes(data[:at] + 110_000 * struct.pack("<HH2sH", 0x29, 0x10, b"LO", 0) + data[at:])
    with pytest.raises(DicomReadError, match="too long to be one"):
        read_source(path)


@pytest.mark.parametrize("error", [MemoryError, RecursionError, struct.error, AssertionError, BaseException])
def test_everything_that_is_raised_on_damage_becomes_one_error(error: type[BaseException]) -> None:
    with pytest.raises(DicomReadError, match=r"it broke \(.*\)\. Expected"), damage("it broke"):
        raise error("with a name in it")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_but_not_the_wish_to_stop(error: type[BaseException]) -> None:
    with pytest.raises(error), damage("it broke"):
        raise error
