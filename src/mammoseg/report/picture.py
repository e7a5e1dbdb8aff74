"""The pixels of an image as a page holds them: 16 bits, smaller if need be, packed as text; an 8-bit picture; a thumbnail.

Packed   Every value less that of the row above (modulo 65536), the low bytes of all and then the high bytes, deflated (zlib),
         as base64. Neighbours in a column differ little, and high bytes hardly ever: two thirds of the plain values.
Smaller  Means of squares of f x f pixels, the last ones of a border repeated; so pixel i covers [i f, (i + 1) f) of the file.
"""

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.drawing.overlay import display_range

BUDGET = 8_750_000
"""Bytes of pixels, pictures and maps, before base64, that all images of a page share: 11.7 MB of the 12 MB that a page may have."""
_PLAIN_ROWS, _THUMBNAIL_ROWS = 900, 72
_QUALITY = {_PLAIN_ROWS: 85, _THUMBNAIL_ROWS: 75}
_LEVEL = 6  # of zlib
_BAND = 16  # rows that are packed at a time to learn how well the others will
_MOST_ROWS = 8192  # no texture of a graphics card is to be larger


@dataclass(frozen=True)
class Packed:
    """Pixels in a page."""

    text: str
    """Base64."""
    bytes: int
    """Before base64."""
    factor: int
    """Pixels of the file that are one here, along each side."""
    shape: tuple[int, int]
    """(rows, columns) of what is packed."""


def pack(pixels: NDArray[np.generic], most_bytes: int) -> Packed:
    """(H, W) uint8 or uint16, with the smallest factor by which they take at most `most_bytes`."""
    factor = max(1, -(-max(pixels.shape) // _MOST_ROWS))
    expected = _expected_bytes(pixels)
    while expected / factor**2 > most_bytes and factor < min(pixels.shape):
        factor += 1
    while True:
        small = smaller(pixels, factor)
        content = zlib.compress(_differences(small), _LEVEL)
        if len(content) <= most_bytes or factor >= min(pixels.shape):
            return Packed(base64.b64encode(content).decode(), len(content), factor, (small.shape[0], small.shape[1]))
        factor += 1


def smaller(pixels: NDArray[np.generic], factor: int) -> NDArray[np.uint16]:
    """Means of squares of factor x factor pixels."""
    values: NDArray[Any] = pixels.astype(np.uint16)
    if factor == 1:
        return values
    rows, columns = (-(-size // factor) for size in values.shape)
    below, beside = rows * factor - values.shape[0], columns * factor - values.shape[1]
    whole = cv2.copyMakeBorder(values, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint16)


def plain_pictures(pixels: NDArray[np.generic]) -> tuple[tuple[float, float], bytes, NDArray[np.uint8]]:
    """The stored values of black and white, a JPEG file of the image with at most 900 rows, and a thumbnail of at most 72."""
    values: NDArray[Any] = pixels if pixels.dtype == np.uint16 else pixels.astype(np.float32)
    low, high = display_range(values)
    plain = _eight_bits(_small(values, _PLAIN_ROWS), low, high)
    jpeg = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY[_PLAIN_ROWS]])[1].tobytes()
    return (low, high), jpeg, _small(plain, _THUMBNAIL_ROWS)


def thumbnail(rows: list[list[NDArray[np.uint8] | None]]) -> bytes:
    """The thumbnails of an exam, rows of two columns, None for a gap, as one JPEG: inner borders of the columns meet."""
    widest = max([_THUMBNAIL_ROWS // 2, *(small.shape[1] for row in rows for small in row if small is not None)])
    sheet = np.zeros((_THUMBNAIL_ROWS, widest * 2 * len(rows)), np.uint8)
    for number, row in enumerate(rows):
        middle = (2 * number + 1) * widest
        for column, small in enumerate(row):
            if small is not None:
                start = middle if column else middle - small.shape[1]
                sheet[: small.shape[0], start : start + small.shape[1]] = small
    return cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY[_THUMBNAIL_ROWS]])[1].tobytes()


def _small(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """With at most `rows` rows and twice as many columns."""
    scale = min(1, rows / values.shape[0], 2 * rows / values.shape[1])
    height, width = (max(1, round(size * scale)) for size in values.shape)
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA) if scale < 1 else values


def _eight_bits(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    return np.rint(np.clip((values.astype(np.float32) - low) * (255 / (high - low)), 0, 255)).astype(np.uint8)


def _differences(values: NDArray[np.uint16]) -> bytes:
    less = np.diff(values, axis=0, prepend=np.uint16(0)).astype("<u2")
    return np.ascontiguousarray(less.view(np.uint8).reshape(-1, 2).T).tobytes()


def _expected_bytes(pixels: NDArray[np.generic]) -> float:
    """Of all pixels when packed, from bands of rows that are spread over them."""
    starts = range(0, pixels.shape[0], 8 * _BAND)
    bands = [pixels[start : start + _BAND].astype(np.uint16) for start in starts]
    return sum(len(zlib.compress(_differences(band), 1)) for band in bands) * pixels.size / sum(b.size for b in bands)
