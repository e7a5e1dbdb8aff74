"""Which decoder gets what, what never reaches one, and what is made of their failures."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, get_frame

from mammoseg.io.dicom import decode as module
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.pixels import read_dicom_pixels

GREY = (np.arange(40 * 32).reshape(40, 32) * 3) % 4096
STREAMS = ("JPEG-LS", "JPEG 2000", "JPEG lossless SV1", "JPEG extended")


@pytest.mark.parametrize("stream", STREAMS[:3])
@pytest.mark.parametrize("claimed", ["JPEG lossless", "JPEG 2000", "JPEG-LS", "HTJ2K", "explicit"])
def test_the_stream_decides(make_dicom: Any, stream: str, claimed: str) -> None:
    """Some files have the transfer syntax of another compression."""
    path = make_dicom(GREY, stream)
    data = path.read_bytes()
    uids = [make_dicom(GREY, name).read_bytes()[132:].split(b"UI") for name in (stream, claimed)]
    old, new = (next(part for part in parts if b"1.2.840.10008.1.2." in part)[2:] for parts in uids)
    old, new = (text[: text.index(b"\x02\0")] for text in (old, new))
    size = struct.pack("<H", len(old)) + old, struct.pack("<H", len(new)) + new
    length = struct.unpack("<I", data[140:144])[0] + len(new) - len(old)
    path.write_bytes(data[:140] + struct.pack("<I", length) + data[144:].replace(*size, 1))
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


def test_files_of_other_writers() -> None:
    """Values of pydicom's reference for its own test files."""
    extended = read_dicom_pixels(Path(str(get_testdata_file("JPGExtended.dcm")))).pixels
    assert (extended[420, 140], extended[230, 120]) == (244, 95)
    native = read_dicom_pixels(Path(str(get_testdata_file("MR_small.dcm")))).pixels
    for name in ("RLE", "bigendian", "implicit", "jp2klossless", "jpeg_ls_lossless"):
        path = Path(str(get_testdata_file(f"MR_small_{name}.dcm")))
        np.testing.assert_array_equal(read_dicom_pixels(path).pixels, native)


def test_bytes_as_words_of_big_endian(make_dicom: Any) -> None:
    """Then every two of them are exchanged."""
    stored = GREY % 256
    path = make_dicom(stored[:, ::2] + 256 * stored[:, 1::2], "big endian", bits=16)
    dataset = dcmread(path)
    dataset.Columns, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 32, 8, 8, 7
    dataset.save_as(path)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, stored)


def test_lossless_jpeg_in_colour() -> None:
    pair = [read_dicom_pixels(Path(str(get_testdata_file(f"SC_rgb_{name}.dcm")))) for name in ("jpeg_gdcm", "rle")]
    np.testing.assert_array_equal(pair[0].pixels, pair[1].pixels)
    assert pair[0].steps[0] == "JPEG lossless, 8 bits stored, RGB"


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_high_throughput_jpeg_2000(make_dicom: Any, bits: int, signed: bool) -> None:
    level = 0 if signed else 2 ** (bits - 1)
    read = read_dicom_pixels(make_dicom(np.full((40, 32), level), "HTJ2K", bits=bits, signed=signed))
    assert (read.pixels == level).all()
    assert read.steps[0].startswith("HTJ2K lossless")


@pytest.mark.parametrize("bits", range(8, 17))
def test_lossless_jpeg_of_every_depth(make_dicom: Any, bits: int) -> None:
    stored = np.random.default_rng(bits).integers(0, 2**bits, (9, 7))
    np.testing.assert_array_equal(read_dicom_pixels(make_dicom(stored, "JPEG lossless SV1", bits=bits)).pixels, stored)


def reframed(path: Path, change: Callable[[bytes], bytes], fragments: int = 1) -> None:
    dataset = dcmread(path)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([change(frame)], fragments_per_frame=fragments, has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)


@pytest.mark.parametrize("syntax", STREAMS[:3])
def test_a_frame_in_several_fragments(make_dicom: Any, syntax: str) -> None:
    path = make_dicom(GREY, syntax)
    reframed(path, lambda frame: frame, fragments=3)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


def resized(data: bytes, syntax: str, rows: int, columns: int) -> bytes:
    """The same stream under a header, or itself, of another size."""
    if syntax == "JPEG 2000":
        at = data.index(b"\xff\x4f\xff\x51") + 8
        return data[:at] + struct.pack(">II", columns, rows) + data[at + 8 :]
    marker = {"JPEG-LS": b"\xff\xf7", "JPEG extended": b"\xff\xc1"}.get(syntax, b"\xff\xc3")
    at = data.index(marker, data.index(b"\xff\xd8")) + 5
    return data[:at] + struct.pack(">HH", rows, columns) + data[at + 4 :]


@pytest.mark.parametrize("syntax", STREAMS)
def test_no_decoder_sees_a_stream_of_another_size(
    make_dicom: Any, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder would take 12 GB for the JPEG 2000 image of this size."""
    path = make_dicom(GREY, syntax)
    data = path.read_bytes()
    monkeypatch.setattr(module, "decode_apart", lambda *_: pytest.fail("a decoder was asked"))
    for rows, columns in ((65000, 65000), (40, 31), (39, 32), (32, 40)):
        path.write_bytes(resized(data, syntax, rows, columns))
        with pytest.raises(DicomReadError, match=f"announces 40 x 32 with 1 samples, the JPEG.* {rows} x {columns}"):
            read_dicom_pixels(path)


@pytest.mark.parametrize("syntax", STREAMS[:3])
def test_bits_of_the_stream_that_cannot_be(make_dicom: Any, syntax: str) -> None:
    with pytest.raises(DicomReadError, match=r"stream has 12 bits\. Expected 8 to 8"):
        read_dicom_pixels(make_dicom(GREY % 256, syntax, bits=8, stream_bits=12))
    if syntax != "JPEG 2000":  # which knows signs
        with pytest.raises(DicomReadError, match="12 bits with sign are stored"):
            read_dicom_pixels(make_dicom(GREY % 256, syntax, signed=True, stream_bits=10))
    signed = GREY % 512 - 256
    read = read_dicom_pixels(make_dicom(signed, "JPEG 2000", bits=12, signed=True, stream_bits=10)).pixels
    np.testing.assert_array_equal(read, signed + 256)


@pytest.mark.parametrize("syntax", ["JPEG-LS", "JPEG 2000", "JPEG lossless SV1"])
def test_fewer_bits_in_the_stream_than_are_stored(make_dicom: Any, syntax: str) -> None:
    path = make_dicom(GREY % 1024, syntax, bits=12, stream_bits=10)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY % 1024)


@pytest.mark.parametrize(("bits", "change"), [(8, -2), (12, -2), (12, 64), (12, 6400), (8, 32)])
def test_native_pixels_of_another_size(make_dicom: Any, bits: int, change: int) -> None:
    path = make_dicom(GREY % 256, bits=bits)
    data = bytearray(path.read_bytes())
    size = 1280 * (1 if bits == 8 else 2)
    data[-size - 4 : -size] = struct.pack("<I", size + change)
    path.write_bytes(bytes(data) + bytes(max(change, 0)))
    with pytest.raises(DicomReadError, match=f"the file has {size + change} bytes of pixels"):
        read_dicom_pixels(path)


def test_native_pixels_with_a_little_padding(make_dicom: Any) -> None:
    path = make_dicom(GREY)
    data = bytearray(path.read_bytes())
    data[-2564:-2560] = struct.pack("<I", 2580)
    path.write_bytes(bytes(data) + bytes(20))
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


def test_native_pixels_that_are_said_to_be_compressed(make_dicom: Any) -> None:
    path = make_dicom(GREY, "explicit")
    for uid in (b"1.2.840.10008.1.2.5\0", b"1.2.840.113619.5.2\0\0"):  # the second has words in another order
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", uid))
        with pytest.raises(DicomReadError, match="one of compressed pixels or unknown"):
            read_dicom_pixels(path)
        path = make_dicom(GREY, "explicit")


def test_lossless_jpeg_that_ends_too_early(make_dicom: Any) -> None:
    """With its end marker in place: GDCM fills the rest of the picture and only mutters about it."""
    path = make_dicom(GREY, "JPEG lossless SV1")
    reframed(path, lambda frame: frame[:-400] + b"\xff\xd9")
    with pytest.raises(DicomReadError, match="is damaged or cut short"):
        read_dicom_pixels(path)


@pytest.mark.parametrize("syntax", ["JPEG-LS", "JPEG 2000", "RLE"])
def test_other_streams_that_end_too_early(make_dicom: Any, syntax: str) -> None:
    path = make_dicom(np.random.default_rng(0).integers(0, 256, (40, 32)), syntax, bits=8)
    reframed(path, lambda frame: frame[: len(frame) // 2] + (b"" if syntax == "RLE" else b"\xff\xd9"))
    with pytest.raises(DicomReadError, match=r"cannot be decoded|cut short"):
        read_dicom_pixels(path)
