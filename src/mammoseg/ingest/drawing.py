"""Lesion masks from the shapes data sets give: outlines, boxes and circles -> a PNG file on the pixels of the image.

Coordinates are pixels of the image file, x the column and y the row, from the top left corner. Shapes of one mask are
united; what lies beyond the image is cut off.

    outlines  [(x, y), ...] of integer pixel centres: the polygon with its border; one point is one pixel
    boxes     (xmin, ymin, xmax, ymax), pixel i covers [i, i + 1): every pixel the box touches
    circles   (x, y, radius): every pixel whose index is within `radius` of (x, y)
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.io.atomic import atomic_path
from mammoseg.io.dicom.header import read_header
from mammoseg.io.pictures import picture_shape
from mammoseg.io.read import is_dicom
from mammoseg.records.image import MAX_PIXELS

Outline = Sequence[tuple[float, float]]
Box = tuple[float, float, float, float]
Circle = tuple[float, float, float]

_FARTHEST = 1_000_000


class DrawingError(ValueError):
    """A shape or a size no mask can be drawn from."""


def image_shape(path: Path) -> tuple[int, int]:
    """(H, W) from the header of a DICOM file or a picture. Raises DrawingError if it does not tell."""
    try:
        if is_dicom(path):
            header = read_header(path)
            if header.rows is None or header.columns is None:
                raise ValueError("no rows or columns")
            return header.rows, header.columns
        return picture_shape(path)
    except Exception as error:  # what a damaged header leads to is not documented
        raise DrawingError(
            f"{path}: the size of the image cannot be read ({type(error).__name__}). Expected a DICOM file or a "
            "picture. Copy it again."
        ) from error


def draw_mask(
    shape: tuple[int, int],
    *,
    outlines: Iterable[Outline] = (),
    boxes: Iterable[Box] = (),
    circles: Iterable[Circle] = (),
) -> NDArray[np.bool_]:
    """(H, W) bool: True in any of the shapes. Raises DrawingError for numbers that cannot be places or sizes."""
    if min(shape) < 1 or shape[0] * shape[1] > MAX_PIXELS:
        raise DrawingError(
            f"draw_mask: the image has {shape} pixels. Expected 1 x 1 to {MAX_PIXELS // 10**6} million. "
            "Check the size in the image file."
        )
    canvas = np.zeros(shape, dtype=np.uint8)
    for outline in outlines:
        points = np.rint(_places(outline, 2)).astype(np.int32)
        if len(points):
            cv2.fillPoly(canvas, [points], 1)
    for xmin, ymin, xmax, ymax in _places(boxes, 4):
        if xmax < xmin or ymax < ymin:
            raise DrawingError(
                f"draw_mask: the box ({xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}) ends before it begins. "
                "Expected (xmin, ymin, xmax, ymax). Check the order of the numbers."
            )
        canvas[_touched(ymin, ymax), _touched(xmin, xmax)] = 1
    for x, y, radius in _places(circles, 3):
        rows, cols = np.ogrid[: shape[0], : shape[1]]
        canvas[(cols - x) ** 2 + (rows - y) ** 2 <= radius**2] = 1
    return canvas.astype(bool)


def write_mask(path: Path, mask: NDArray[np.bool_]) -> str | None:
    """Write (H, W) bool as a PNG file of 0 and 255, whole or not at all; the absolute path for the manifest.

    None, and no file, if no pixel is True: the place of the lesion is unknown, which is not an empty mask.
    """
    if not mask.any():
        return None
    with atomic_path(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes())
    return str(path.absolute())


def _places(numbers: Iterable[Sequence[float]], size: int) -> NDArray[np.float64]:
    """(N, size) finite numbers no larger than a picture can be."""
    rows = [tuple(row) for row in numbers]
    if any(len(row) != size for row in rows):
        raise DrawingError(f"draw_mask: a shape has {set(map(len, rows))} numbers. Expected {size}. Check the table.")
    places = np.array(rows, dtype=np.float64).reshape(-1, size)
    if not (np.abs(places) <= _FARTHEST).all():
        raise DrawingError(
            f"draw_mask: a place is not a number or beyond {_FARTHEST} pixels. Expected pixels of the image. "
            "Leave the shape out if its place is unknown."
        )
    return places


def _touched(low: float, high: float) -> slice:
    """The pixels [low, high) touches inside the image, at least one of them."""
    first = int(np.floor(low))
    return slice(max(first, 0), max(int(np.ceil(high)), first + 1, 0))
