"""Streams are checked before a decoder takes the memory that they ask for."""

import struct

import numpy as np
import pytest
from openjpeg.utils import encode_array

from mammoseg.io.dicom.codestream import read_codestream
from mammoseg.io.dicom.errors import DicomReadError

SIZE = (64, 48, 1)


def jpeg_2000(**options: object) -> bytes:
    return encode_array(np.arange(64 * 48, dtype=np.uint16).reshape(64, 48), bits_stored=12, **options)


def replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame(marker: int = 0xC3, rows: int = 64, columns: int = 48, samples: int = 1, bits: int = 12) -> bytes:
    return segment(marker, struct.pack(">BHHB", bits, rows, columns, samples) + bytes([1, 0x11, 0]) * samples)


SCAN = segment(0xDA, bytes([1, 1, 0, 1, 0, 0])) + b"\x12\x34\xff\0\x56"
WHOLE = b"\xff\xd8" + segment(0xE0, b"\xff\xd8\xff\xc3\xff\xd9") + b"\xff\xff" + frame() + SCAN + b"\xff\xd9"


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0" * 500, b"\xff"])
@pytest.mark.parametrize(
    ("marker", "kind"), [(0xC0, "JPEG baseline"), (0xC1, "JPEG extended"), (0xC3, "JPEG lossless"), (0xF7, "JPEG-LS")]
)
def test_jpeg(marker: int, kind: str, padding: bytes) -> None:
    whole = WHOLE.replace(frame(), frame(marker))
    found = read_codestream(whole + padding, SIZE)
    assert (found.kind, found.bits, found.data) == (kind, 12, whole)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "neither JPEG, JPEG-LS nor JPEG 2000"),
        (b"\0\0\0\x18ftypjxl ", "neither JPEG"),
        (WHOLE[:-2], "no end marker"),
        (WHOLE[:10], "cut short"),
        (WHOLE[:2] + WHOLE[3:], "no marker where one must be"),
        (WHOLE.replace(frame(), b""), "no frame header"),
        (WHOLE.replace(frame(), frame() * 2), "two frame headers"),
        (WHOLE.replace(frame(), frame(0xC2)), "process SOF2"),
        (WHOLE.replace(frame(), frame(0xC9)), "process SOF9"),
        (WHOLE + WHOLE, "several JPEG images"),
        (WHOLE.replace(frame(), frame(rows=65500, columns=65500)), "64 x 48 with 1 samples, the JPEG lossless"),
        (WHOLE.replace(frame(), frame(rows=0)), "stream 0 x 48"),
        (WHOLE.replace(frame(), frame(samples=3)), "with 3 samples"),
        (b"\xff\xd8" + b"\xff" * 300_000, "no frame header"),
    ],
)
def test_jpeg_refused(data: bytes, message: str) -> None:
    with pytest.raises(DicomReadError, match=message):
        read_codestream(data, SIZE)


@pytest.mark.parametrize("options", [{}, {"compression_ratios": [20, 5, 2]}, {"add_plt": True, "add_tlm": True}])
def test_jpeg_2000(options: dict[str, object]) -> None:
    whole = jpeg_2000(**options)
    found = read_codestream(whole + b"\0", SIZE)
    assert (found.kind, found.bits, found.data) == ("JPEG 2000", 12, whole)


def test_jpeg_2000_in_a_file_of_its_own() -> None:
    found = read_codestream(jpeg_2000(codec_format=1), SIZE)
    assert (found.data[:4], found.data[-2:]) == (b"\xff\x4f\xff\x51", b"\xff\xd9")


def style_with(precinct: int | None = None, layers: int = 1, block: int = 4) -> bytes:
    data = jpeg_2000()
    at = data.index(b"\xff\x52")
    body = bytes([precinct is not None, 0, *layers.to_bytes(2), 0, 5, block, block, 0, 1])
    body += b"" if precinct is None else bytes([precinct] * 6)
    return data[:at] + segment(0x52, body) + data[at + 14 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (jpeg_2000()[:-2], "no end marker"),
        (jpeg_2000()[:30], "cut short"),
        (replaced(jpeg_2000(), 8, struct.pack(">II", 65000, 65000)), "JPEG 2000 stream 65000 x 65000"),
        (replaced(jpeg_2000(), 8, struct.pack(">II", 2**32 - 1, 2**32 - 1)), "JPEG 2000 stream 4294967295"),
        (replaced(jpeg_2000(), 40, struct.pack(">H", 16384)), "with 16384 samples"),
        (replaced(jpeg_2000(), 43, bytes([2, 2])), "differ in bits or size"),
        (jpeg_2000()[:-9] + b"\xff\xd9", "cut short"),
        (jpeg_2000()[:-2] + b"\0\0\0\0\xff\xd9", "do not fit together"),
        (style_with(layers=65535, precinct=0), "absurdly many pieces"),
        (replaced(jpeg_2000(), jpeg_2000().index(b"\xff\x52") + 2, b"\0\x04"), "cut short"),
    ],
)
def test_jpeg_2000_refused(data: bytes, message: str) -> None:
    with pytest.raises(DicomReadError, match=message):
        read_codestream(data, SIZE)


@pytest.mark.parametrize(
    ("precinct", "block", "refused"), [(0, 4, True), (0x22, 4, True), (0x77, 4, False), (0x77, 0, True)]
)
def test_pieces_of_a_large_jpeg_2000_image(precinct: int, block: int, refused: bool) -> None:
    """What a decoder keeps account of grows with the image: 144 million pixels here, 24 million of a mammogram."""
    large = struct.pack(">II", 12000, 12000)
    data = replaced(replaced(style_with(precinct, block=block), 8, large), 24, large)
    if refused:
        with pytest.raises(DicomReadError, match="absurdly many pieces"):
            read_codestream(data, (12000, 12000, 1))
    else:
        assert read_codestream(data, (12000, 12000, 1)).bits == 12


def test_styles_in_tile_headers_count_too() -> None:
    data = jpeg_2000()
    at = data.index(b"\xff\x93")
    start = data.index(b"\xff\x90")
    extra = segment(0x52, bytes([1, 0, 0xFF, 0xFF, 0, 5, 4, 4, 0, 1, *[0] * 6]))
    length = struct.unpack(">I", data[start + 6 : start + 10])[0] + len(extra)
    data = replaced(data, start + 6, struct.pack(">I", length))
    with pytest.raises(DicomReadError, match="absurdly many pieces"):
        read_codestream(data[:at] + extra + data[at:], SIZE)
