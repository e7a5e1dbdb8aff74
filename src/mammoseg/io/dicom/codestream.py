"""The headers of JPEG, JPEG-LS and JPEG 2000 streams, read before a decoder sees them.

A decoder takes the memory and the time that the stream asks for, and fills in what is missing; so the stream must
announce the picture that the DICOM header announces, be whole, and have no structure that only serves to be expensive.

Source   ITU-T T.81 (JPEG) B.1 and B.2, T.87 (JPEG-LS) C.2, T.800 (JPEG 2000) A.4 to A.6 and I.5 (JP2 boxes).
"""

import math
import struct
from dataclasses import dataclass

from mammoseg.io.dicom.errors import DicomReadError

_FRAMES = {0xC0: "JPEG baseline", 0xC1: "JPEG extended", 0xC3: "JPEG lossless", 0xF7: "JPEG-LS"}
_OTHER_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} - _FRAMES.keys()
_SCAN = 0xDA
_JPEG_2000 = b"\xff\x4f\xff\x51"
_TILE_PART, _START_OF_DATA, _STYLES = 0xFF90, 0xFF93, {0xFF52: 1, 0xFF53: 0}
_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_END = b"\xff\xd9"
_PADDING_BYTES = 1024  # searched for the end of the image, behind which writers put zeros
_MOST_SEGMENTS = 200_000
_MOST_BLOCKS = (
    4_000_000  # code blocks, precincts or packets; a mammogram of 24 million pixels in blocks of 32 has 24,000
)
_EXPORT = "The file is damaged: copy or export it again."


@dataclass(frozen=True)
class Codestream:
    """What a stream announces."""

    kind: str
    """JPEG baseline, JPEG extended, JPEG lossless, JPEG-LS or JPEG 2000."""
    data: bytes
    """The stream from its first to its last marker."""
    bits: int
    signed: bool = False
    """JPEG 2000 only; the others do not know signs."""


Size = tuple[int, int, int]
"""Rows, columns, samples."""


def read_codestream(data: bytes, expected: Size) -> Codestream:
    """Raises DicomReadError if `data` is no whole stream of a kind that can be decoded, or not of the expected size."""
    if data.startswith(_JP2):
        data = _unboxed(data)
    if data.startswith(_JPEG_2000):
        return _jpeg_2000(data, expected)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data, expected)
    raise DicomReadError(
        "the compressed pixel data are neither JPEG, JPEG-LS nor JPEG 2000. Expected one of them. "
        "The transfer syntax is wrong or the file damaged: export it again."
    )


def _jpeg(data: bytes, expected: Size) -> Codestream:
    position, frame = 2, None
    for _ in range(_MOST_SEGMENTS):
        introducer, marker, length = struct.unpack(">BBH", _piece(data, position, 4))
        if introducer == marker == 0xFF:  # fill byte
            position += 1
            continue
        if introducer != 0xFF or length < 2:
            raise DicomReadError(f"the JPEG stream has no marker where one must be. Expected a JPEG stream. {_EXPORT}")
        if marker in _FRAMES or marker in _OTHER_FRAMES:
            if frame:
                raise DicomReadError(f"the JPEG stream has two frame headers. Expected one. {_EXPORT}")
            frame = (marker, *struct.unpack(">BHHB", _piece(data, position + 4, 6)))
        if marker == _SCAN:
            break
        position += 2 + length
    if not frame or marker != _SCAN:
        raise DicomReadError(f"the JPEG stream has no frame header. Expected one before the scan. {_EXPORT}")
    marker, bits, rows, columns, samples = frame
    if marker not in _FRAMES:
        raise DicomReadError(
            f"the JPEG stream uses process SOF{marker - 0xC0}. Expected baseline, extended, lossless or JPEG-LS. "
            "Export the image with another transfer syntax."
        )
    _agree(_FRAMES[marker], (rows, columns, samples), expected)
    if data.find(b"\xff\xd8\xff", position) >= 0:
        raise DicomReadError("the pixel data hold several JPEG images. Expected one frame. Export each image alone.")
    return Codestream(_FRAMES[marker], data[: _end(data, position)], bits)


def _jpeg_2000(data: bytes, expected: Size) -> Codestream:
    fields = struct.unpack(">HHIIIIIIIIH", _piece(data, 4, 38))
    _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, samples = fields
    _agree("JPEG 2000", (bottom - top, right - left, samples), expected)
    components = struct.unpack(f">{3 * samples}B", _piece(data, 42, 3 * samples))
    if len(set(components[::3])) != 1 or set(components[1::3]) | set(components[2::3]) != {1}:
        raise DicomReadError(
            "the components of the JPEG 2000 stream differ in bits or size. Expected equal ones. "
            "Export the image as MONOCHROME2."
        )
    tiles = math.ceil((right - tile_left) / max(tile_width, 1)) * math.ceil((bottom - tile_top) / max(tile_height, 1))
    whole = data[: _end(data, 42)]
    _check_structure(whole, math.prod(expected), max(tiles, 1) * samples)
    return Codestream("JPEG 2000", whole, (components[0] & 0x7F) + 1, components[0] > 0x7F)


def _check_structure(data: bytes, area: int, tile_components: int) -> None:
    """Walk through the markers of the main header and of every tile part."""
    position, start_of_tile = 2, None
    for _ in range(_MOST_SEGMENTS):
        if position == len(data) - len(_END):
            return
        marker, length = struct.unpack(">HH", _piece(data, position, 4))
        if marker == _START_OF_DATA and start_of_tile is not None:
            tile_bytes = struct.unpack(">I", _piece(data, start_of_tile + 6, 4))[0]
            position = start_of_tile + tile_bytes if tile_bytes else len(data) - len(_END)
            start_of_tile = None
            continue
        if marker == _TILE_PART:
            start_of_tile = position
        if marker in _STYLES:
            _check_style(_piece(data, position + 4, length - 2), _STYLES[marker], area, tile_components)
        if marker < 0xFF00 or length < 2:
            break
        position += 2 + length
    raise DicomReadError(f"the parts of the JPEG 2000 stream do not fit together. Expected a whole stream. {_EXPORT}")


def _check_style(segment: bytes, is_default: int, area: int, tile_components: int) -> None:
    """Coding style (COD of all components, COC of one): how many blocks a decoder has to keep account of."""
    layers = int.from_bytes(segment[2:4]) if is_default else 1
    start = 5 if is_default else 2
    if len(segment) < start + 5:
        raise DicomReadError(f"a coding style of the JPEG 2000 stream is cut short. Expected a whole one. {_EXPORT}")
    levels, width, height = segment[start], segment[start + 1] + 2, segment[start + 2] + 2
    precincts = segment[start + 5 :] or b"\xff"
    smallest = min((size & 0xF) + (size >> 4) for size in precincts)
    packets = (area / 2**smallest + tile_components) * (levels + 1) * max(layers, 1)
    if area / 2 ** (width + height) > _MOST_BLOCKS or packets > _MOST_BLOCKS or levels > 32:
        raise DicomReadError(
            "the JPEG 2000 stream is cut into absurdly many pieces. Expected at most 4 million blocks and packets. "
            "Export the image again with usual settings."
        )


def _unboxed(data: bytes) -> bytes:
    """The stream inside a JP2 file, which DICOM does not allow and some writers store all the same."""
    position = 0
    for _ in range(_MOST_SEGMENTS):
        length, kind = struct.unpack(">I4s", _piece(data, position, 8))
        if kind == b"jp2c":
            return data[position + (16 if length == 1 else 8) : position + length if length > 1 else None]
        position += max(length, 8) if length else len(data)
    raise DicomReadError(f"the JP2 file holds no JPEG 2000 stream. Expected one. {_EXPORT}")


def _agree(kind: str, found: Size, expected: Size) -> None:
    if found != expected:
        sizes = [f"{rows} x {columns} with {samples} samples" for rows, columns, samples in (expected, found)]
        raise DicomReadError(
            f"the header announces {sizes[0]}, the {kind} stream {sizes[1]}. Expected the same. {_EXPORT}"
        )


def _end(data: bytes, start: int) -> int:
    end = data.rfind(_END, max(start, len(data) - _PADDING_BYTES))
    if end < 0:
        raise DicomReadError(
            "the compressed pixel data have no end marker: they are cut short. Expected a whole image. " + _EXPORT
        )
    return end + len(_END)


def _piece(data: bytes, position: int, length: int) -> bytes:
    piece = data[position : position + length]
    if len(piece) < length or length < 0:
        raise DicomReadError(
            f"the compressed pixel data are cut short within their header. Expected a whole image. {_EXPORT}"
        )
    return piece
