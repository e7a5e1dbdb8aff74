"""Boxes around lesions: those of the manifest, or those around the connected parts of its masks; on the pixels of a window."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.data.image_row import ImageRow
from mammoseg.records.finding import Box
from mammoseg.records.grid import PixelGrid

Boxes = Mapping[str, tuple[Box, ...]]
"""Class -> boxes; not there: unknown."""


def boxes_of_mask(mask_HW: NDArray[np.bool_]) -> tuple[Box, ...]:
    """One around each connected part (8 neighbours)."""
    _, _, parts, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
    return tuple((float(y), float(x), float(y + h), float(x + w)) for x, y, w, h, _ in parts[1:].tolist())


def boxes_in_window(row: ImageRow, drawn: Boxes, classes: Sequence[str], grid: PixelGrid) -> Boxes:
    """Those of the row, else those `drawn`, all in original pixels, in the pixels of a displaced window; of a class that the image
    does not show, none."""
    known = {**drawn, **row.boxes}
    without = {name: () for name in classes if row.labels.get(name) == 0}
    return without | {name: tuple(_in_window(box, grid) for box in known[name]) for name in classes if name in known}


def _in_window(box: Box, grid: PixelGrid) -> Box:
    top, left, bottom, right = box
    (row_a, col_a), (row_b, col_b) = grid.to_model(np.array([[top, left], [bottom, right]])).tolist()
    return row_a, min(col_a, col_b), row_b, max(col_a, col_b)
