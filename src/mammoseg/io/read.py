"""Reading the pixels of image files: PNG, PGM, TIFF and JPEG, 8 or 16 bits.

A file is refused rather than repaired: half a mammogram, or one with inverted brightness, looks like a mammogram to a
model. Pillow reads the header (and says how large the picture will be before memory is taken), OpenCV the pixels,
because it keeps 16 bits where Pillow does not.
"""

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 150_000_000
"""Largest picture read. A mammogram has up to 24 million pixels, a film scanned at 25 um 100 million."""

_FORMATS = ("PNG", "PPM", "TIFF", "JPEG")
_WHITE_IS_ZERO = 0  # value of the TIFF tag PhotometricInterpretation
_LUMA_BGR = np.array([0.114, 0.587, 0.299])


class ImageReadError(ValueError):
    """A file whose pixels cannot be read or trusted; the message names the file and says what to do."""


def read_pixels(path: Path) -> NDArray[np.generic]:
    """(H, W) uint8 or uint16 stored values, as they are in the file (no rotation, no scaling).

    Colours become grey: one channel where all are equal, else 0.299 R + 0.587 G + 0.114 B, rounded.
    Raises ImageReadError if the file is missing, damaged, cut short, not one of the formats, larger than `MAX_PIXELS`,
    not 8 or 16 bits, has several pages or transparent pixels, or (TIFF) stores white as 0.
    """
    pixels = _decode(path)
    if pixels.ndim == 2:
        return pixels
    first = pixels[..., 0]
    if (pixels == first[..., None]).all():
        return np.ascontiguousarray(first)
    return np.rint(pixels @ _LUMA_BGR).astype(pixels.dtype)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """(H, W) bool: where any channel is not 0. Raises ImageReadError like `read_pixels`."""
    pixels = _decode(path) != 0
    return pixels if pixels.ndim == 2 else pixels.any(axis=-1)


def _decode(path: Path) -> NDArray[np.generic]:
    """(H, W) or (H, W, 3) in OpenCV's order blue, green, red."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageReadError(
            f"{path}: the image cannot be read ({error.strerror}). Expected a readable PNG, PGM, TIFF or JPEG file. "
            "Check the path and the access rights."
        ) from None
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
        kind = "a DICOM file" if data[128:132] == b"DICM" else f"no image that can be read ({reason})"
        raise ImageReadError(
            f"{path}: this is {kind}. Expected PNG, PGM, TIFF or JPEG. "
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
