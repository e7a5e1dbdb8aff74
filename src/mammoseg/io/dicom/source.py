"""Finds the pixel data of a DICOM file and what describes them.

The header is read first and checked; then it is known how large the pixel data may be, and only then are they read.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from pydicom import uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble

from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.layout import PixelLayout, read_layout
from mammoseg.io.dicom.values import ImageValues
from mammoseg.io.errors import ImageReadError
from mammoseg.io.regular import open_regular
from mammoseg.records.image import MAX_PIXELS

_KEYWORDS = (
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("VOILUTSequence", "PresentationLUTShape"),
)
_TAGS = [cast(int, tag_for_keyword(keyword)) for keyword in _KEYWORDS]
_OFFSET_TABLES, _PIXEL_DATA = 0x7FE00001, 0x7FE00010
_FLOATS = (0x7FE00008, 0x7FE00009)
_BIG = str(uid.ExplicitVRBigEndian)
_IMPLICIT = str(uid.ImplicitVRLittleEndian)
_DEFLATED = str(uid.DeflatedExplicitVRLittleEndian)

_MOST_READS = 100_000  # read calls for one header
_MOST_INFLATED = 2 * MAX_PIXELS + (64 << 20)
_SLACK = 1 << 20  # bytes that compressed pixel data may take above twice their native size


@dataclass(frozen=True)
class Source:
    """The raw material of one image."""

    layout: PixelLayout
    values: ImageValues
    syntax: str
    """UID of the transfer syntax; empty if the file does not say."""
    pixels: bytes
    """Pixel Data as they are in the file: native, or encapsulated fragments."""
    encapsulated: bool
    little_endian: bool
    words: bool
    """Whether the writer calls the pixel data a string of words (OW): big-endian bytes are swapped then."""


def read_source(path: Path) -> Source:
    """Raises DicomReadError."""
    with damage("the DICOM header is damaged or cut short"), quiet(), _opened(path) as file:
        return _read(file)


def _opened(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except ImageReadError as error:
        raise DicomReadError(str(error).removeprefix(f"{path}: ")) from None


@contextmanager
def damage(what: str) -> Iterator[None]:
    """Gives everything that pydicom and the decoders raise on damaged files, panics of Rust too, one kind."""
    try:
        yield
    except (DicomReadError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        reasons: dict[type[BaseException], str] = {
            RecursionError: "nested too deep",
            MemoryError: "it takes more memory than there is",
        }
        reason = reasons.get(type(error), type(error).__name__)
        raise DicomReadError(f"{what} ({reason}). Expected a whole DICOM image. Copy or export it again.") from None


def _read(file: BinaryIO) -> Source:
    if file.seek(0, os.SEEK_END) == 0:
        raise DicomReadError("the file is empty (0 bytes). Expected a DICOM image. Copy or export it again.")
    file.seek(0)
    stream = cast(BinaryIO, _Metered(file))
    read_preamble(stream, force=True)
    meta = ImageValues(read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2))
    syntax = meta.text("TransferSyntaxUID")
    if syntax == _DEFLATED:
        stream = _inflated(file)
    little = syntax != _BIG if syntax else not _looks_big(file)
    implicit = syntax in (_IMPLICIT, "")  # to begin with: pydicom looks whether it is
    header = read_dataset(
        stream, implicit, little, stop_when=lambda tag, vr, length: tag >= _OFFSET_TABLES, specific_tags=list(_TAGS)
    )
    stream = stream if syntax == _DEFLATED else file
    return _with_pixels(stream, header, syntax, little)


def _with_pixels(stream: BinaryIO, header: Dataset, syntax: str, little: bool) -> Source:
    values = ImageValues(header)
    layout = read_layout(values)
    start = stream.tell()
    rest = stream.seek(0, os.SEEK_END) - start
    stream.seek(start)
    announced: dict[int, int] = {}

    def passed(tag: int, vr: str | None, length: int) -> bool:
        announced.setdefault(int(tag), length)
        return tag > _PIXEL_DATA or (tag == _PIXEL_DATA and _oversized(length, rest, layout))

    implicit = bool(header.original_encoding[0])
    dataset = read_dataset(
        stream, implicit, little, stop_when=passed, specific_tags=[_PIXEL_DATA], at_top_level=False
    )  # not at top level: there pydicom takes the length of implicit pixel data for a VR now and then
    if any(tag in announced for tag in _FLOATS):
        raise DicomReadError("the pixels are floating-point numbers. Expected integers. Export them as MONOCHROME2.")
    length = announced.get(_PIXEL_DATA)
    if length is None:
        raise DicomReadError("the file holds no pixel data. Expected an image. Copy it again, or leave it out.")
    if _oversized(length, rest, layout):
        raise DicomReadError(
            f"the file has {rest} bytes of pixel data, far more than {layout.rows} x {layout.columns} pixels take. "
            "Expected one frame. The file is damaged or holds a series: export the image again."
        )
    element = dataset.get_item(_PIXEL_DATA) if dataset else None
    if element is None or not isinstance(element.value, bytes):
        raise DicomReadError("the pixel data are cut short. Expected a whole image. Copy or export the file again.")
    return Source(layout, values, syntax, element.value, length == 0xFFFFFFFF, little, element.VR == "OW")


def _oversized(length: int, rest: int, layout: PixelLayout) -> bool:
    """Whether reading the pixel data would take memory that no image of this size needs."""
    return min(length, rest) > 2 * layout.native_bytes + _SLACK


def _looks_big(file: BinaryIO) -> bool:
    start = file.tell()
    group = file.read(2)
    file.seek(start)
    return group[:1] == b"\0"


def _inflated(file: BinaryIO) -> BinaryIO:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(file.read(_MOST_INFLATED), _MOST_INFLATED)
    if not inflater.eof and not inflater.unconsumed_tail:
        raise DicomReadError("the deflated file is cut short. Expected a whole image. Copy or export it again.")
    if not inflater.eof:
        raise DicomReadError(
            "the deflated file is larger than any image. Expected one mammogram. The file is damaged: export it again."
        )
    return BytesIO(data)


class _Metered:
    """A file of which a header cannot be read in very many pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self.tell: Callable[[], int] = file.tell
        self.seek: Callable[..., int] = file.seek
        self._read = file.read
        self._reads = 0

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise DicomReadError(
                "the header has more elements than any. Expected a mammogram. The file is damaged: export it again."
            )
        return self._read(size)
