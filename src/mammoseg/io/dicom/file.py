"""One DICOM file, opened and parsed once: its elements, and its pixel data for those who want them.

The file is not trusted. What a damaged or hostile one could cost in time or memory is bounded: by `_Bounded`, by leaving out
large values, by inflating no more than is wanted, and by knowing how large the pixel data may be before they are read.
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
from pydicom.filereader import read_dataset, read_preamble

from mammoseg.io.dicom.elements import WANTED, Elements, quiet
from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.layout import PixelLayout, read_layout
from mammoseg.io.dicom.signature import LENGTH, looks_like_dicom
from mammoseg.io.errors import ImageReadError
from mammoseg.io.regular import open_regular
from mammoseg.records.image import MAX_PIXELS

_PIXEL_DATA, _FLOATS = 0x7FE00010, (0x7FE00008, 0x7FE00009)
_PIXELS = frozenset((_PIXEL_DATA, *_FLOATS))
_STOPS = _PIXELS | {0x52009230}  # the last one: functional groups per frame, long and of no use here
_META_SYNTAX, _META_CLASS = 0x00020010, 0x00020002
_BIG = str(uid.ExplicitVRBigEndian)
_IMPLICIT = str(uid.ImplicitVRLittleEndian)
_DEFLATED = str(uid.DeflatedExplicitVRLittleEndian)

_LARGEST_VALUE = 1 << 20  # bytes; larger values (icons, private blocks) are skipped
_MOST_BYTES = 1 << 24  # read from one header
_MOST_READS = 50_000  # read calls for one header: well below a second
_MOST_INFLATED = 2 * MAX_PIXELS + (64 << 20)
_SLACK = 1 << 20  # bytes that compressed pixel data may take above twice their native size


@dataclass(frozen=True)
class PixelData:
    """The raw material of one image."""

    layout: PixelLayout
    elements: Elements
    syntax: str
    """UID of the transfer syntax; empty if the file does not say."""
    data: bytes
    """As they are in the file: native, or encapsulated fragments."""
    encapsulated: bool
    little_endian: bool
    words: bool
    """Whether the writer calls the pixel data a string of words (OW): big-endian bytes are swapped then."""


@dataclass(frozen=True)
class DicomFile:
    """What was found in a file, which must be open while its pixel data are read."""

    path: Path
    elements: Elements
    transfer_syntax: str
    """UID; empty if the file does not say."""
    media_class: str
    """SOP class of the file meta information; empty if the file does not say."""
    has_pixels: bool
    pixel_bytes: int | None
    """From the first pixel to the end of the file; None if there is none or it is not known (deflated files)."""
    _file: BinaryIO
    _body: int
    """Where the elements begin that are not about the file."""
    _rest: int
    """Where the elements begin that were not read; in a deflated file, of its inflated content."""
    _implicit: bool
    _little: bool

    def pixel_data(self) -> PixelData:
        """Raises DicomReadError, without the path, if they are missing, cut short or more than the header announces."""
        layout = read_layout(self.elements)
        stream, start = self._file, self._rest
        if self.transfer_syntax == _DEFLATED:
            self._file.seek(self._body)
            stream = BytesIO(_inflated_whole(self._file))
        rest = stream.seek(0, os.SEEK_END) - start
        stream.seek(start)
        announced: dict[int, int] = {}

        def passed(tag: int, vr: str | None, length: int) -> bool:
            announced.setdefault(int(tag), length)
            return tag > _PIXEL_DATA or (tag == _PIXEL_DATA and _oversized(length, rest, layout))

        with damage("the DICOM header is damaged or cut short"), quiet():
            dataset = read_dataset(
                stream, self._implicit, self._little, stop_when=passed, specific_tags=[_PIXEL_DATA], at_top_level=False
            )  # not at top level: there pydicom takes the length of implicit pixel data for a VR now and then
            element = dataset.get_item(_PIXEL_DATA) if dataset else None
        if any(tag in announced for tag in _FLOATS):
            raise DicomReadError(
                "the pixels are floating-point numbers. Expected integers. Export them as MONOCHROME2."
            )
        length = announced.get(_PIXEL_DATA)
        if length is None:
            raise DicomReadError("the file holds no pixel data. Expected an image. Copy it again, or leave it out.")
        if _oversized(length, rest, layout):
            raise DicomReadError(
                f"the file has {rest} bytes of pixel data, far more than {layout.rows} x {layout.columns} pixels take. "
                "Expected one frame. The file is damaged or holds a series: export the image again."
            )
        if element is None or not isinstance(element.value, bytes):
            raise DicomReadError("the pixel data are cut short. Expected a whole image. Copy or export the file again.")
        about = (self.transfer_syntax, element.value, length == 0xFFFFFFFF, self._little, element.VR == "OW")
        return PixelData(layout, self.elements, *about)


@contextmanager
def open_dicom(path: Path) -> Iterator[DicomFile]:
    """Raises DicomReadError, always with a reason and never with a value."""
    try:
        file = open_regular(path, None)
    except ImageReadError as error:
        raise DicomReadError(str(error)) from None
    with file:
        yield parse_dicom(path, file)


def parse_dicom(path: Path, file: BinaryIO) -> DicomFile:
    """The elements of a file that is open. Raises like `open_dicom`."""
    try:
        file.seek(0)
        start = file.read(LENGTH)
        file.seek(0)
    except OSError as error:
        reason = f"the file cannot be read ({error.strerror})"
        raise _refused(path, reason, "Check the path and the access rights.") from None
    if not start:
        raise _refused(path, "the file is empty (0 bytes)", "Copy or export it again.")
    if not looks_like_dicom(start):
        raise _refused(path, "this is not a DICOM file", "Leave it out, or read it as the image format that it is.")
    bounded, stopped = _Bounded(file), _Stop()
    try:
        with quiet():
            read_preamble(cast(BinaryIO, bounded), force=True)
            meta = read_dataset(cast(BinaryIO, bounded), False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
            syntax, media_class = (_meta_text(meta.get_item(tag)) for tag in (_META_SYNTAX, _META_CLASS))
            body = bounded.tell()
            little = syntax != _BIG if syntax else not _looks_big(file)
            if syntax == _DEFLATED:
                head = zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(_MOST_BYTES), _MOST_BYTES)
                bounded = _Bounded(BytesIO(head))
            dataset = read_dataset(
                cast(BinaryIO, bounded),
                syntax in (_IMPLICIT, ""),  # to begin with: pydicom looks whether it is
                little,
                stop_when=stopped,
                defer_size=_LARGEST_VALUE,
                specific_tags=list(WANTED),
            )
    except Exception as error:  # pydicom raises errors of many kinds on damaged files, some with values in them
        if RecursionError in (type(error), type(error.__context__)):
            raise _refused(path, "sequences are nested too deep", "The file is damaged: export it again.") from None
        reason = "the header is too long to be one" if bounded.exhausted else "the header is damaged or cut short"
        raise _refused(path, reason, "Copy or export it again.") from None
    elements = Elements(dataset)
    if not elements and media_class != uid.MediaStorageDirectoryStorage:
        raise _refused(path, "the header is damaged or cut short", "Copy or export it again.")
    if not any(keyword in elements for keyword in ("SOPClassUID", "Modality", "Rows", "ImageType")) and not media_class:
        raise _refused(path, "no DICOM header was found", "Leave the file out, or copy or export it again.")
    rest = bounded.tell()
    has_pixels = stopped.tag in _PIXELS
    size = bounded.size - rest - stopped.head_bytes if has_pixels and syntax != _DEFLATED else None
    implicit = bool(dataset.original_encoding[0])
    return DicomFile(path, elements, syntax, media_class, has_pixels, size, file, body, rest, implicit, little)


def _refused(path: Path, what: str, advice: str) -> DicomReadError:
    return DicomReadError(f"{path}: {what}. Expected a DICOM file of a mammogram. {advice}")


def _meta_text(element: object) -> str:
    value = getattr(element, "value", None)
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value or "")).strip(" \0")


def _looks_big(file: BinaryIO) -> bool:
    start = file.tell()
    group = file.read(2)
    file.seek(start)
    return group[:1] == b"\0"


def _oversized(length: int, rest: int, layout: PixelLayout) -> bool:
    """Whether reading the pixel data would take memory that no image of this size needs."""
    return min(length, rest) > 2 * layout.native_bytes + _SLACK


def _inflated_whole(file: BinaryIO) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with damage("the deflated file is damaged"):
        data = inflater.decompress(file.read(_MOST_INFLATED), _MOST_INFLATED)
    if not inflater.eof and not inflater.unconsumed_tail:
        raise DicomReadError("the deflated file is cut short. Expected a whole image. Copy or export it again.")
    if not inflater.eof:
        raise DicomReadError(
            "the deflated file is larger than any image. Expected one mammogram. The file is damaged: export it again."
        )
    return data


class _TooLongError(Exception):
    """Raised where a header takes more than any header does."""


class _Stop:
    """Tells pydicom where the part that is wanted ends, and remembers at which element that was."""

    def __init__(self) -> None:
        self.tag: int | None = None
        self.head_bytes = 0

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        plain = int(tag)  # tags of pydicom compare slowly
        if plain not in _STOPS:
            return False
        self.tag, self.head_bytes = plain, 8 if vr is None else 12
        return True


class _Bounded:
    """A file of which only so much can be read."""

    def __init__(self, file: BinaryIO) -> None:
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.exhausted = False
        self.tell: Callable[[], int] = file.tell
        self.seek: Callable[..., int] = file.seek
        self._read = file.read
        self._reads = self._bytes = 0

    def read(self, size: int) -> bytes:
        data = self._read(min(size, _MOST_BYTES))
        self._reads += 1
        self._bytes += len(data)
        if self._reads > _MOST_READS or self._bytes > _MOST_BYTES:
            self.exhausted = True
            raise _TooLongError
        return data
