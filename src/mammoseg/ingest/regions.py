"""Outlines, ellipses and boxes in continuous coordinates -> pixels of the image.

x is the column and y the row; pixel i covers [i, i + 1), so that (0, 0) is the upper left corner of the upper left pixel and its
middle is (0.5, 0.5), as DICOM, COCO, YOLO and LabelMe count. A pixel is in a region if its middle is. A region too thin to have
any middle is the pixels that its outline passes. What lies beyond the image is cut off.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.ingest.annotation import AnnotationError, Patch, Size
from mammoseg.records.finding import Box

_FARTHEST = 1_000_000
_MOST_CORNERS = 100_000
_MOST_CROSSINGS = 50_000_000
"""Of the edges of an outline with the rows of the image: what it costs to fill."""
_NOTHING = "no pixel of the image is in it. Expected a region in the image."

Points = NDArray[np.float64]
"""(N, 2): x, y."""


def points_of(numbers: ArrayLike, what: str) -> Points:
    """(N, 2) from x, y, x, y ... or from pairs. Raises AnnotationError for what can be no places in a picture."""
    try:
        points = np.asarray(numbers, np.float64).reshape(-1, 2)
    except (ValueError, TypeError, OverflowError):
        raise AnnotationError(
            f"{what}: the coordinates are no pairs of numbers. Expected x, y of each point."
        ) from None
    if len(points) > _MOST_CORNERS:
        raise AnnotationError(f"{what}: {len(points)} points. Expected at most {_MOST_CORNERS}. Simplify the outline.")
    if not (np.abs(points) <= _FARTHEST).all():  # NaN is not, either
        raise AnnotationError(
            f"{what}: a coordinate is not a number, or beyond {_FARTHEST} pixels. Expected pixels of the image."
        )
    return points


def draw_outlines(outlines: Sequence[Points], size: Size) -> Patch:
    """What lies in any of some outlines; where one overlaps itself, what it goes round (non-zero winding).

    This and all that draw raise AnnotationError for a region beyond the image.
    """
    canvas = np.zeros(size, bool)
    low, high = (np.array([bound(p, axis=0) for p in outlines if len(p)]) for bound in (np.min, np.max))
    for outline in outlines:
        _filled(outline, size).paste(canvas)
    if not canvas.any():
        raise AnnotationError(_NOTHING)
    left, top = (max(0, math.floor(value)) for value in low.min(axis=0))
    right, bottom = (math.ceil(value) + 1 for value in high.max(axis=0))
    return Patch(min(top, size[0]), min(left, size[1]), canvas[top : max(bottom, 0), left : max(right, 0)])


def draw_ellipse(centre: Sequence[float], half: Sequence[float], size: Size, angle: float = 0.0) -> Patch:
    """`centre` x, y; `half` axes in pixels, the first at `angle` (radians, from x towards y)."""
    a, b = half
    if not (0 < a <= _FARTHEST and 0 < b <= _FARTHEST):
        raise AnnotationError(f"an ellipse has the half axes {a:g} and {b:g}. Expected two lengths above 0.")
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = points_of(centre, "the centre of an ellipse")[0]
    reach_x, reach_y = math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos)
    top, bottom = _between(y - reach_y, y + reach_y, size[0])
    left, right = _between(x - reach_x, x + reach_x, size[1])
    dy, dx = np.arange(top, bottom)[:, None] + 0.5 - y, np.arange(left, right)[None] + 0.5 - x
    inside = ((dx * cos + dy * sin) / a) ** 2 + ((dy * cos - dx * sin) / b) ** 2 <= 1
    if not inside.any() and 0 <= y < size[0] and 0 <= x < size[1]:
        return Patch(int(y), int(x), np.ones((1, 1), bool))
    if not inside.any():
        raise AnnotationError(_NOTHING)
    return Patch(top, left, inside)


def draw_box(box: Box, size: Size) -> Patch:
    """The pixels whose middles are in a box (top, left, bottom, right), at least the one in its middle."""
    rows, columns = (
        _between(low, high, most) for low, high, most in ((box[0], box[2], size[0]), (box[1], box[3], size[1]))
    )
    spans = []
    for (first, last), middle, most in zip((rows, columns), _middle(box), size, strict=True):
        thin = first == last and 0 <= middle < most
        spans.append((int(middle), int(middle) + 1) if thin else (first, last))
    (top, bottom), (left, right) = spans
    if top == bottom or left == right:
        raise AnnotationError(_NOTHING)
    return Patch(top, left, np.ones((bottom - top, right - left), bool))


def box_of(corners: ArrayLike, size: Size) -> Box:
    """Top, left, bottom, right of two opposite corners (x, y), cut off at the image. Raises AnnotationError if nothing is left."""
    points = points_of(corners, "a box")
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    box = max(top, 0.0), max(left, 0.0), min(bottom, float(size[0])), min(right, float(size[1]))
    if not (box[0] < box[2] and box[1] < box[3]):
        raise AnnotationError("a box has no area in the image. Expected two opposite corners in it.")
    return box


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _between(low: float, high: float, most: int) -> tuple[int, int]:
    """First and last + 1 of the pixels whose middles are in [low, high)."""
    first, last = (min(max(math.ceil(value - 0.5), 0), most) for value in (low, high))
    return first, max(first, last)


def _filled(points: Points, size: Size) -> Patch:
    """Each edge turns the pixels right of it by one, up or down, in the rows that it crosses: outside the turns add up to 0."""
    if not len(points):
        return Patch(0, 0, np.zeros((0, 0), bool))
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    (top, bottom), (left, right) = _between(top, bottom, size[0]), _between(left, right, size[1])
    x, y = points.T
    x_to, y_to = np.roll(x, -1), np.roll(y, -1)
    first, last = (np.clip(np.ceil(f(y, y_to) - 0.5).astype(int), top, bottom) for f in (np.minimum, np.maximum))
    crossed = last - first
    if crossed.sum() > _MOST_CROSSINGS:
        raise AnnotationError("an outline goes up and down too often to be drawn. Expected the border of a region.")
    edge = np.repeat(np.arange(len(points)), crossed)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    at = x[edge] + (row + 0.5 - y[edge]) * (x_to - x)[edge] / (y_to - y)[edge]
    column = np.clip(np.ceil(at - 0.5).astype(int), left, right) - left
    turns = np.zeros((bottom - top, right - left + 1), np.int32)
    np.add.at(turns, (row - top, column), np.sign(y_to - y)[edge].astype(np.int32))
    inside = np.cumsum(turns, axis=1, dtype=np.int32)[:, :-1] != 0
    return Patch(top, left, inside) if inside.any() else _line(points, size)


def _line(points: Points, size: Size) -> Patch:
    """The pixels that a thin outline passes."""
    canvas = np.zeros(size, np.uint8)
    cv2.polylines(canvas, [np.floor(points).astype(np.int32)], True, 1)
    return Patch(0, 0, canvas.astype(bool))
