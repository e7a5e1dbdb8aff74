"""Decoding of picture files: PNG, PGM, TIFF, BigTIFF, JPEG, JPEG 2000 and BMP, 8 or 16 bits.

A file is refused rather than repaired: half a mammogram, or one with inverted brightness, looks like a mammogram to a
model. Pillow reads the header (and says how large the picture will be before memory is taken), OpenCV the pixels,
because it keeps 16 bits where Pillow does not; JPEG is read by a decoder that tells of damage (dicom/jpeg.py). What OpenCV
prints about damage is silenced: it names no file.

Orientation   The tag of TIFF and that of EXIF (JPEG, PNG) are applied, as every viewer does: the pixels are those that one
              sees, and masks of an image fit if they fit on the screen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mammoseg.io.dicom.codestream import read_codestream
from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.jpeg import decode_8bit
from mammoseg.io.errors import ImageReadError
from mammoseg.io.png import picture_of_png
from mammoseg.io.regular import open_regular
from mammoseg.records.image import MAX_PIXELS

_START = re.compile(
    rb"\x89PNG|\xff\xd8\xff|II[*+]\0|MM\0[*+]|P[25]\s|BM.{4}\0{4}|\0\0\0\x0cjP  |\xff\x4f\xff\x51", re.DOTALL
)
_FORMATS = ("PNG", "PPM", "TIFF", "JPEG", "JPEG2000", "BMP")
_GREY_OR_RGB = {"L": 1, "I;16": 1, "RGB": 3}
_WIDTH, _HEIGHT, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _PLANAR = 256, 257, 262, 274, 277, 284  # tags of TIFF
_WHITE_IS_ZERO, _PLANES = 0, 2
_ON_ITS_SIDE = (5, 6, 7, 8)


@dataclass(frozen=True)
class _Header:
    """What is known of a picture before it is decoded."""

    kind: str
    mode: str
    """As Pillow has it."""
    size: tuple[int, int]
    """Rows, columns."""
    orientation: int
    """1 .. 8 as in EXIF."""


def looks_like_picture(start: bytes) -> bool:
    """By the first bytes, of which 12 are needed."""
    return bool(_START.match(start))


def decode_picture(path: Path) -> NDArray[np.generic]:
    """(H, W) or (H, W, 3) uint8 or uint16 in OpenCV's order blue, green, red. Raises ImageReadError."""
    with open_regular(path) as file:
        if not file.read(1):
            raise ImageReadError(f"{path}: the file is empty (0 bytes). Expected an image. Copy or export it again.")
        file.seek(0)
        header = _checked_header(path, file)
        file.seek(0)
        data = file.read()
    pixels = _pixels(path, data, header)
    if pixels is None:
        raise ImageReadError(
            f"{path}: the image is damaged or cut short ({len(data)} bytes). Expected a complete file. "
            "Copy or export it again."
        )
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageReadError(
            f"{path}: the pixels are {pixels.dtype}. Expected unsigned integers of 8 or 16 bits. "
            "Export the image with 16 bits a pixel."
        )
    pixels = _without_alpha(path, pixels)
    return pixels if header.kind == "TIFF" else _turned(pixels, header.orientation)  # OpenCV turns TIFF


def picture_shape(path: Path) -> tuple[int, int]:
    """(H, W) that the pixels will have, from the header alone. Raises ImageReadError."""
    with open_regular(path) as file:
        header = _checked_header(path, file)
    height, width = header.size
    return (width, height) if header.orientation in _ON_ITS_SIDE else (height, width)


def _checked_header(path: Path, file: BinaryIO) -> _Header:
    """Refuse what would decode to something else than one picture of reasonable size, before decoding it."""
    too_large = ImageReadError(
        f"{path}: the header announces more than {MAX_PIXELS // 10**6} million pixels. Expected a mammogram (up to "
        "about 24 million). The file is damaged or no mammogram; scale it down if it is a very fine film scan."
    )
    try:
        with quiet(), Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise too_large
            tags: dict[int, Any] = dict(getattr(image, "tag_v2", {}))
            exif = Image.Exif()
            exif.load(image.info.get("exif", b""))  # getexif() of a PNG file decodes its pixels
            orientation = int(tags.get(_ORIENTATION, exif.get(_ORIENTATION, 1)) or 1)
            size = (tags.get(_HEIGHT, image.height), tags.get(_WIDTH, image.width))  # some Pillows turn that of TIFF
            header = _Header(str(image.format), image.mode, size, orientation)
            several = _has_second_page(image)
    except Image.DecompressionBombError:
        raise too_large from None
    except ImageReadError:
        raise
    except Exception as error:  # Pillow raises errors of many kinds on damaged files, without the name of the file
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "unknown format" if unknown else str(error).rstrip(".") or type(error).__name__
        raise ImageReadError(
            f"{path}: this is no image that can be read ({reason}). Expected DICOM, PNG, PGM, TIFF, JPEG, JPEG 2000 or "
            "BMP. Convert the image to a 16-bit grey PNG, or copy it again if it is damaged."
        ) from None
    if several:
        raise ImageReadError(
            f"{path}: the file holds several pages. Expected one mammogram in a file. Export each image on its own."
        )
    _check_tags(path, tags)
    if header.kind in ("JPEG", "JPEG2000") and header.mode not in _GREY_OR_RGB:
        raise ImageReadError(
            f"{path}: this {header.kind} picture is of type {header.mode}. Expected grey or RGB without more. "
            "Export the image as 16-bit grey PNG."
        )
    return header


def _has_second_page(image: Image.Image) -> bool:
    """Pages are looked for, not counted: to count those of a file that has many takes very long."""
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


def _check_tags(path: Path, tags: Mapping[int, Any]) -> None:
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise ImageReadError(
            f"{path}: this TIFF stores white as 0. Expected black as 0, so that dense tissue is bright. "
            "Export the image as BlackIsZero or as PNG."
        )
    if tags.get(_PLANAR) == _PLANES and tags.get(_SAMPLES, 1) != 1:
        raise ImageReadError(
            f"{path}: this TIFF stores its colours one behind the other (PlanarConfiguration 2), which are read as several "
            "pictures side by side. Expected grey, or colours together. Export the image as grey."
        )


def _pixels(path: Path, data: bytes, header: _Header) -> NDArray[np.generic] | None:
    """None: damaged."""
    samples = _GREY_OR_RGB.get(header.mode, 0)
    try:
        if header.kind == "JPEG":
            return decode_8bit(data, samples)
        if header.kind == "JPEG2000":
            read_codestream(data, (*header.size, samples))
    except ImageReadError as error:
        raise ImageReadError(f"{path}: {error}") from None
    except ValueError:
        return None
    picture = picture_of_png(data) if header.kind == "PNG" else data
    if picture is None:
        return None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def _without_alpha(path: Path, pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    if np.any(np.not_equal(pixels[..., 3], 2 ** (8 * pixels.itemsize) - 1)):
        raise ImageReadError(
            f"{path}: the image has transparent pixels. Expected none: it is not known what "
            "lies under them. Export the image without alpha channel."
        )
    return pixels[..., :3]


def _turned(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """As EXIF says that the picture is to be seen: 5 to 8 are mirrored at the diagonal first."""
    if orientation in _ON_ITS_SIDE:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
