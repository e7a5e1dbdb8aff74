"""The lesions of an image: connected parts of a mask (pixels that touch at a side or a corner, 8 neighbours), or boxes."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.records.finding import Box, Point


@dataclass(frozen=True, eq=False)
class Lesion:
    """One of them, in pixels of the image file; pixel i covers [i, i + 1)."""

    box: Box
    area_px: float
    """Pixels of a part of a mask; of a box, the area of the ellipse that touches its four sides."""
    pixels: NDArray[np.bool_] | None = None
    """What its box holds, True in the lesion; None: only the box is known."""

    @property
    def diameter_px(self) -> float:
        """Effective diameter: of the disc with its area."""
        return float(2 * np.sqrt(self.area_px / np.pi))

    def holds(self, place: Point) -> bool:
        """Whether the lesion (where only its box is known, the box) has the pixel in which a place lies."""
        (row, col), (top, left, bottom, right) = place, self.box
        if not (top <= row < bottom and left <= col < right):
            return False
        return self.pixels is None or bool(self.pixels[int(row) - int(top), int(col) - int(left)])

    def covered_px(self, boxes: Iterable[Box]) -> int:
        """How many of its pixels have their centre in at least one of the boxes; 0 if its pixels are not known."""
        if self.pixels is None:
            return 0
        origin = np.array([self.box[0], self.box[1]])
        under = np.zeros_like(self.pixels)
        for top, left, bottom, right in boxes:
            first, stop = (np.maximum(np.ceil(np.subtract(corner, 0.5) - origin), 0).astype(int)
                           for corner in ((top, left), (bottom, right)))  # fmt: skip
            under[first[0] : stop[0], first[1] : stop[1]] = True
        return int(np.count_nonzero(under & self.pixels))


def lesions_of_mask(mask_HW: NDArray[np.bool_]) -> list[Lesion]:
    """Row by row of their topmost pixels; none in an empty mask."""
    rows, cols = (np.flatnonzero(mask_HW.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return []
    first, part = (rows[0], cols[0]), mask_HW[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(part.astype(np.uint8), connectivity=8)
    found = []
    for number, (left, top, width, height, area) in enumerate(stats[1:count].tolist(), start=1):
        pixels = labels[top : top + height, left : left + width] == number
        row, col = float(first[0] + top), float(first[1] + left)
        found.append(Lesion((row, col, row + height, col + width), float(area), pixels))
    return found


def lesions_of_boxes(boxes: Iterable[Box]) -> list[Lesion]:
    """One for each box."""
    return [Lesion(box, float(np.pi / 4 * (box[2] - box[0]) * (box[3] - box[1]))) for box in boxes]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    height, width = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    shared = max(height, 0.0) * max(width, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)
