"""Finds the wanted elements in a DICOM file without trusting it.

The elements before the pixels are found by pydicom. What a damaged or hostile file could cost in time or memory is
bounded: by `_Bounded`, by leaving out large values and by inflating only the beginning of a deflated file.
"""

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from mammoseg.io.dicom.elements import WANTED, Elements, quiet
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.signature import LENGTH, looks_like_dicom
from mammoseg.io.errors import ImageReadError
from mammoseg.io.regular import open_regular

_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_STOPS = _PIXELS | {0x52009230}  # the last one: functional groups per frame, long and of no use here
_DEFLATED = str(DeflatedExplicitVRLittleEndian)

_LARGEST_VALUE = 1 << 16  # bytes; larger values (icons, private blocks) are skipped
_MOST_BYTES = 1 << 24  # read from one header
_MOST_READS = 50_000  # read calls for one header: well below a second


@dataclass(frozen=True)
class Contents:
    """What was found in a file."""

    elements: Elements
    transfer_syntax: str
    """UID; empty if the file does not say."""
    media_class: str
    """SOP class of the file meta information; empty if the file does not say."""
    has_pixels: bool
    pixel_bytes: int | None
    """From the first pixel to the end of the file; None if there is none or it is not known (deflated files)."""


def read_elements(path: Path) -> Contents:
    """The wanted elements of a file. Raises DicomReadError, always with a reason and never with a value."""
    try:
        with open_regular(path, None) as file, quiet():
            return _parsed(path, file)
    except DicomReadError:
        raise
    except OSError as error:
        raise _refused(
            path, f"the file cannot be read ({error.strerror})", "Check the path and the access rights."
        ) from None
    except ImageReadError as error:
        raise DicomReadError(str(error)) from None


def _parsed(path: Path, file: BinaryIO) -> Contents:
    start = file.read(LENGTH)
    file.seek(0)
    if not start:
        raise _refused(path, "the file is empty (0 bytes)", "Copy or export it again.")
    if not looks_like_dicom(start):
        raise _refused(path, "this is not a DICOM file", "Leave it out, or read it as the image format that it is.")
    bounded, stopped = _Bounded(file), _Stop()
    media_class = transfer_syntax = ""
    try:
        try:
            dataset: Dataset = read_partial(
                cast(BinaryIO, bounded), stopped, _LARGEST_VALUE, force=True, specific_tags=list(WANTED)
            )
            transfer_syntax, media_class = _meta(cast(FileDataset, dataset))
        except _DeflatedError:
            transfer_syntax, bounded = _DEFLATED, _Bounded(BytesIO(_inflated(file)))
            dataset = read_dataset(
                cast(BinaryIO, bounded), False, True, None, stopped, _LARGEST_VALUE, specific_tags=list(WANTED)
            )
    except RecursionError:
        raise _refused(path, "sequences are nested too deep", "The file is damaged: export it again.") from None
    except Exception:  # pydicom raises errors of many kinds on damaged files, some with values in them
        reason = "the header is too long to be one" if bounded.exhausted else "the header is damaged or cut short"
        raise _refused(path, reason, "Copy or export it again.") from None
    elements = Elements(dataset)
    if not elements and media_class != MediaStorageDirectoryStorage:
        raise _refused(path, "the header is damaged or cut short", "Copy or export it again.")
    if not any(keyword in elements for keyword in ("SOPClassUID", "Modality", "Rows", "ImageType")) and not media_class:
        raise _refused(path, "no DICOM header was found", "Leave the file out, or copy or export it again.")
    has_pixels = stopped.tag in _PIXELS
    known = has_pixels and transfer_syntax != _DEFLATED
    size = bounded.size - bounded.tell() - stopped.head_bytes if known else None
    return Contents(elements, transfer_syntax, media_class, has_pixels, size)


def _meta(dataset: FileDataset) -> tuple[str, str]:
    """Transfer syntax and SOP class of the file meta information."""
    values = {int(element.tag): element.value for element in dataset.file_meta.values()}
    found = [values.get(tag) for tag in (0x00020010, 0x00020002)]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value or "") for value in found]
    return texts[0].strip(" \0"), texts[1].strip(" \0")


def _inflated(file: BinaryIO) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(_MOST_BYTES), _MOST_BYTES)


def _refused(path: Path, what: str, advice: str) -> DicomReadError:
    return DicomReadError(f"{path}: {what}. Expected a DICOM file of a mammogram. {advice}")


class _DeflatedError(Exception):
    """Raised where pydicom asks for the rest of the file, which it does to inflate all of it at once."""


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

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            raise _DeflatedError
        data = self._read(min(size, _MOST_BYTES))
        self._reads += 1
        self._bytes += len(data)
        if self._reads > _MOST_READS or self._bytes > _MOST_BYTES:
            self.exhausted = True
            raise _TooLongError
        return data
