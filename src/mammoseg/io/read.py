"""Reading the pixels of image files: DICOM, and pictures (io/pictures.py)."""

import hashlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.signature import LENGTH, looks_like_dicom
from mammoseg.io.errors import ImageReadError as ImageReadError
from mammoseg.io.pictures import decode_picture, looks_like_picture
from mammoseg.io.regular import open_regular
from mammoseg.records.image import DicomMode
from mammoseg.records.source import Source

_DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
_LUMA_BGR = np.array([0.114, 0.587, 0.299])


class ImagePixels(NamedTuple):
    pixels: NDArray[np.generic]
    """(H, W) uint8 or uint16; brighter is denser tissue."""
    reading: tuple[str, ...]
    """What was done to the stored values, in plain words; nothing for other formats than DICOM."""
    source: Source


def read_image(path: Path, dicom: DicomMode = "nyu") -> ImagePixels:
    """The pixels of an image file, as one sees them: with the orientation that a TIFF, JPEG or PNG file states.

    But for DICOM (see `io/dicom/pixels.py`), values are not changed. Colours become grey: one channel where all are equal,
    else 0.299 R + 0.587 G + 0.114 B, rounded.
    Raises ImageReadError if the file is missing, no regular file, damaged, cut short, not one of the formats, larger than
    `MAX_PIXELS` or `regular.MAX_BYTES`, not 8 or 16 bits, has several pages or transparent pixels, or (TIFF) stores white
    as 0 or colours as planes; for DICOM (DicomReadError) see there.
    """
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _is_dicom(path, file):
            return _read_dicom(path, file, digest, dicom)
    pixels = decode_picture(path)
    if pixels.ndim == 3:
        first = pixels[..., 0]
        same = (pixels == first[..., None]).all()
        pixels = np.ascontiguousarray(first) if same else np.rint(pixels @ _LUMA_BGR).astype(pixels.dtype)
    return ImagePixels(pixels, (), Source(path.absolute(), digest, *_size(pixels)))


def _read_dicom(path: Path, file: BinaryIO, digest: str, mode: DicomMode) -> ImagePixels:
    from mammoseg.io.dicom.file import parse_dicom
    from mammoseg.io.dicom.header import header_of
    from mammoseg.io.dicom.pixels import pixels_of

    contents = parse_dicom(path, file)
    header = header_of(contents)
    if not header.usable:
        raise DicomReadError(
            f"{path}: {header.kind}, not used ({header.why_not}). Expected a two-dimensional mammogram for "
            "presentation. Leave it out, or make the manifest with mammoseg scan."
        )
    decoded = pixels_of(contents, mode)
    side = (header.pixel_mm, header.pixel_mm) if header.pixel_mm else None
    source = Source(path.absolute(), digest, *_size(decoded.pixels), side, header.identity)
    return ImagePixels(decoded.pixels, decoded.steps, source)


def _size(pixels: NDArray[np.generic]) -> tuple[int, int]:
    height, width = pixels.shape
    return height, width


def read_pixels(path: Path, dicom: DicomMode = "nyu") -> NDArray[np.generic]:
    """The pixels of `read_image`."""
    return read_image(path, dicom).pixels


def read_mask(path: Path) -> NDArray[np.bool_]:
    """(H, W) bool: where any channel is not 0. Raises ImageReadError like `read_image`."""
    if is_dicom(path):
        from mammoseg.io.dicom.pixels import read_dicom_pixels

        return np.not_equal(read_dicom_pixels(path).pixels, 0)
    pixels = decode_picture(path) != 0
    return pixels if pixels.ndim == 2 else pixels.any(axis=-1)


def is_dicom(path: Path) -> bool:
    """By its first bytes; where they do not tell, by its name. Raises ImageReadError if it cannot be read."""
    with open_regular(path, None) as file:
        return _is_dicom(path, file)


def _is_dicom(path: Path, file: BinaryIO) -> bool:
    file.seek(0)
    start = file.read(LENGTH)
    return looks_like_dicom(start) or (path.suffix.lower() in _DICOM_SUFFIXES and not looks_like_picture(start))
