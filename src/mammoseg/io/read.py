"""Reading the pixels of image files: DICOM, PNG, PGM, TIFF and JPEG, 8 or 16 bits.

A file is refused rather than repaired: half a mammogram, or one with inverted brightness, looks like a mammogram to a
model. Pillow reads the header (and says how large the picture will be before memory is taken), OpenCV the pixels,
because it keeps 16 bits where Pillow does not.
"""

import io
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.signature import LENGTH, looks_like_dicom
from mammoseg.io.errors import ImageReadError as ImageReadError
from mammoseg.records.image import DicomMode

MAX_PIXELS = 150_000_000
"""Largest picture read. A mammogram has up to 24 million pixels, a film scanned at 25 um 100 million."""

_DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
_PICTURES = (b"\x89PNG", b"\xff\xd8", b"II*", b"MM", b"P5", b"P2")
_FORMATS = ("PNG", "PPM", "TIFF", "JPEG")
_WHITE_IS_ZERO = 0  # value of the TIFF tag PhotometricInterpretation
_LUMA_BGR = np.array([0.114, 0.587, 0.299])


class ImagePixels(NamedTuple):
    pixels: NDArray[np.generic]
    """(H, W) uint8 or uint16 in the orientation of the file; brighter is denser tissue."""
    reading: tuple[str, ...]
    """What was done to the stored values, in plain words; nothing for other formats than DICOM."""


def read_image(path: Path, dicom: DicomMode = "nyu") -> ImagePixels:
    """The pixels of an image file: no rotation and, but for DICOM, no change of values (see `io/dicom/pixels.py`).

    Colours become grey: one channel where all are equal, else 0.299 R + 0.587 G + 0.114 B, rounded.
    Raises ImageReadError if the file is missing, damaged, cut short, not one of the formats, larger than `MAX_PIXELS`,
    not 8 or 16 bits, has several pages or transparent pixels, or (TIFF) stores white as 0; for DICOM (DicomReadError) see there.
    """
    if is_dicom(path):
        from mammoseg.io.dicom.header import read_header
        from mammoseg.io.dicom.pixels import read_dicom_pixels

        header = read_header(path)
        if not header.usable:
            raise DicomReadError(
                f"{path}: {header.kind}, not used ({header.why_not}). Expected a two-dimensional mammogram for "
                "presentation. Leave it out, or make the manifest with mammoseg scan."
            )
        decoded = read_dicom_pixels(path, dicom)
        return ImagePixels(decoded.pixels, decoded.steps)
    pixels = _decode(path)
    if pixels.ndim == 3:
        first = pixels[..., 0]
        same = (pixels == first[..., None]).all()
        pixels = np.ascontiguousarray(first) if same else np.rint(pixels @ _LUMA_BGR).astype(pixels.dtype)
    return ImagePixels(pixels, ())


def read_pixels(path: Path, dicom: DicomMode = "nyu") -> NDArray[np.generic]:
    """The pixels of `read_image`."""
    return read_image(path, dicom).pixels


def read_mask(path: Path) -> NDArray[np.bool_]:
    """(H, W) bool: where any channel is not 0. Raises ImageReadError like `read_image`."""
    if is_dicom(path):
        from mammoseg.io.dicom.pixels import read_dicom_pixels

        return np.not_equal(read_dicom_pixels(path).pixels, 0)
    pixels = _decode(path) != 0
    return pixels if pixels.ndim == 2 else pixels.any(axis=-1)


def is_dicom(path: Path) -> bool:
    """By its first bytes; where they do not tell, by its name. Raises ImageReadError if it cannot be read."""
    start = _content(path, LENGTH)
    return looks_like_dicom(start) or (path.suffix.lower() in _DICOM_SUFFIXES and not start.startswith(_PICTURES))


def _content(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise ImageReadError(
            f"{path}: the image cannot be read ({error.strerror}). Expected a readable DICOM, PNG, PGM, TIFF or JPEG file. "
            "Check the path and the access rights."
        ) from None


def _decode(path: Path) -> NDArray[np.generic]:
    """(H, W) or (H, W, 3) in OpenCV's order blue, green, red."""
    data = _content(path)
    if not data:
        raise ImageReadError(f"{path}: the file is empty (0 bytes). Expected an image. Copy or export it again.")
    _check_header(path, data)
    pixels = _opencv(data)
    if pixels is None or (data.startswith(b"\xff\xd8") and b"\xff\xd9" not in data[-65536:]):
        raise ImageReadError(
            f"{path}: the image is damaged or cut short ({len(data)} bytes). Expected a complete file. "
            "Copy or export it again."
        )
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageReadError(
            f"{path}: the pixels are {pixels.dtype}. Expected unsigned integers of 8 or 16 bits. "
            "Export the image with 16 bits a pixel."
        )
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        if np.any(np.not_equal(pixels[..., 3], 2 ** (8 * pixels.itemsize) - 1)):
            raise ImageReadError(
                f"{path}: the image has transparent pixels. Expected none: it is not known what "
                "lies under them. Export the image without alpha channel."
            )
        pixels = pixels[..., :3]
    return pixels


def _check_header(path: Path, data: bytes) -> None:
    """Refuse what would decode to something else than one picture of reasonable size, before decoding it."""
    too_large = ImageReadError(
        f"{path}: the header announces more than {MAX_PIXELS // 10**6} million pixels. Expected a mammogram (up to "
        "about 24 million). The file is damaged or no mammogram; scale it down if it is a very fine film scan."
    )
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as header:
            if header.width * header.height > MAX_PIXELS:
                raise too_large
            pages = getattr(header, "n_frames", 1)
            tags = getattr(header, "tag_v2", {})
    except Image.DecompressionBombError:
        raise too_large from None
    except (OSError, SyntaxError, EOFError) as error:
        reason = "unknown format" if isinstance(error, UnidentifiedImageError) else error
        raise ImageReadError(
            f"{path}: this is no image that can be read ({reason}). Expected DICOM, PNG, PGM, TIFF or JPEG. "
            "Convert the image to a 16-bit grey PNG, or copy it again if it is damaged."
        ) from None
    if pages > 1:
        raise ImageReadError(
            f"{path}: the file holds {pages} pages. Expected one mammogram in a file. Export each image on its own."
        )
    if tags.get(262) == _WHITE_IS_ZERO:
        raise ImageReadError(
            f"{path}: this TIFF stores white as 0. Expected black as 0, so that dense tissue is bright. "
            "Export the image as BlackIsZero or as PNG."
        )


def _opencv(data: bytes) -> NDArray[np.generic] | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
