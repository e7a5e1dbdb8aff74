"""DICOM objects about images, as whole data sets of pydicom: segmentations (SEG) and structured reports (SR).

The file is not trusted: what its header may take, and what its frames may take, is bounded before it is parsed.
"""

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, uid
from pydicom.filereader import read_dataset, read_partial, read_preamble
from pydicom.pixels import get_decoder

from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.signature import LENGTH, looks_like_dicom
from mammoseg.io.regular import open_regular
from mammoseg.records.image import MAX_PIXELS

MOST_HEADER_BYTES = 1 << 22
"""Of all but the pixels: a hundred times a report, and some seconds to parse."""
_MOST_INFLATED = 1 << 24
_LONGEST_META = 1 << 16
_PIXEL_DATA = 0x7FE00010
_UNPACKED = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian)
_READABLE = (*_UNPACKED, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless)


def sop_class_of(path: Path) -> str:
    """From the file meta information; empty if the file is no DICOM file or does not say."""
    with open_regular(path, None) as file:
        if not looks_like_dicom(file.read(LENGTH)):
            return ""
        file.seek(0)
        start = file.read(_LONGEST_META)
    try:
        with quiet():
            return str(_meta(start)[0].get("MediaStorageSOPClassUID", ""))
    except Exception:  # pydicom raises errors of many kinds; a file that does not say is none of these objects
        return ""


def read_object(path: Path, pixels: bool = False) -> Dataset:
    """The data set without, or with, its pixel data. Raises DicomReadError or ImageReadError."""
    with open_regular(path) as file:
        content = file.read()
    with damage(f"{path}: the DICOM object is damaged or cut short"), quiet():
        meta, body = _meta(content)
        is_deflated = meta.get("TransferSyntaxUID") == uid.DeflatedExplicitVRLittleEndian
        if is_deflated:
            _check_inflated(path, content[body:])
        stopped: list[int] = []

        def at_pixels(tag: int, vr: str | None, length: int) -> bool:
            if tag >= _PIXEL_DATA:
                stopped.append(int(tag))
            return bool(stopped)

        head = content if is_deflated else content[:MOST_HEADER_BYTES]
        dataset: Dataset = read_partial(BytesIO(head), at_pixels)
        if len(content) > len(head) and not stopped:
            raise DicomReadError(
                f"{path}: the header has more than {MOST_HEADER_BYTES} bytes. Expected a segmentation or report of one exam."
            )
        if "SOPClassUID" not in dataset:
            raise DicomReadError(
                f"{path}: no DICOM object was found. Expected a segmentation or report. Export it again."
            )
        return read_partial(BytesIO(content)) if pixels else dataset


def frame_of(dataset: Dataset, index: int) -> NDArray[np.generic]:
    """(rows, columns) stored values of a frame, from 0. Raises DicomReadError."""
    with damage("the frames are damaged or cut short"), quiet():
        rows, columns, bits = (int(dataset.get(name) or 0) for name in ("Rows", "Columns", "BitsAllocated"))
    if not 0 < rows * columns <= MAX_PIXELS or bits not in (1, 8, 16):
        raise DicomReadError(
            f"frames of {rows} x {columns} pixels of {bits} bits. Expected those of a mammogram with 1, 8 or 16 bits."
        )
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax not in _READABLE:
        raise DicomReadError(
            f"its frames are compressed as {syntax.name}. Expected none, or RLE. Store it uncompressed."
        )
    if bits == 1 and not syntax.is_encapsulated:
        return _bits(dataset, index, rows, columns)
    with damage("the frames are damaged or cut short"), quiet():
        frame, _ = get_decoder(syntax).as_array(dataset, index=index, raw=True)
        return frame


def _bits(dataset: Dataset, index: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Frames of single bits follow each other without a gap: one may begin within a byte, where pydicom fails to begin."""
    first, pixels = index * rows * columns, rows * columns
    with damage("the frames are damaged or cut short"), quiet():
        data: bytes = dataset.PixelData
    covering = np.frombuffer(data[first // 8 : -(-(first + pixels) // 8)], np.uint8)
    found = np.unpackbits(covering, bitorder="little")[first % 8 : first % 8 + pixels]
    if len(found) < pixels:
        raise DicomReadError("the frames are damaged or cut short. Expected whole ones. Export the object again.")
    return found.reshape(rows, columns)


def _meta(content: bytes) -> tuple[Dataset, int]:
    """The elements about the file, and where they end."""
    file = BytesIO(content[:_LONGEST_META])
    read_preamble(file, force=False)
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    return meta, file.tell()


def _check_inflated(path: Path, deflated: bytes) -> None:
    """pydicom inflates all that there is."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(deflated, _MOST_INFLATED)
    if not inflater.eof:
        raise DicomReadError(
            f"{path}: the deflated object has more than {_MOST_INFLATED} bytes, or is cut short. Store it without compression."
        )
