"""Peaks of a map: its local maxima, thinned out by their distance.

Peak       A plateau: cells of one value that touch each other (8 neighbours), of which none touches a cell of a higher value. Its
           place is its cell nearest to the mean of its cells; of several as near, the first row by row.
Thinning   From the highest peak down, a peak is left out that is nearer than `apart` to one that stays; of equal values the first
           row by row comes first.

Shapes   h, w cells | n peaks
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

Ints = NDArray[np.int64]
_TOUCH = np.ones((3, 3), np.int64)


def local_maxima(map_hw: NDArray[np.floating], floor: float) -> Ints:
    """(n, 2) row and column of every peak whose value is `floor` or more, row by row. NaN is no value and no peak."""
    values = np.where(np.isnan(map_hw), -np.inf, map_hw).astype(np.float64)
    top = (values >= floor) & (values == _highest_around(values))
    # A plateau that touches a higher cell has a cell that is no `top`, and its other cells touch one such.
    slope = top & (values == _highest_around(np.where(top, -np.inf, values)))
    plateaus, count = label(top, _TOUCH)
    sound = np.ones(count + 1, bool)
    sound[plateaus[slope]] = False
    cells = np.argwhere(top & sound[plateaus])
    if not len(cells):
        return np.zeros((0, 2), np.int64)
    _, plateau = np.unique(plateaus[tuple(cells.T)], return_inverse=True)
    size = np.bincount(plateau)
    mean = np.stack([np.bincount(plateau, weights=axis) / size for axis in cells.T], axis=1)
    away = np.square(cells - mean[plateau]).sum(axis=1).round(6)  # equally near is equal, whatever the sum has lost
    order = np.lexsort((np.arange(len(cells)), away, plateau))
    first = order[np.flatnonzero(np.diff(plateau[order], prepend=-1))]
    return cells[np.sort(first)]


def thinned(values: NDArray[np.floating], places: NDArray[np.floating], apart: float, most: int) -> Ints:
    """Which of n peaks stay, the highest first: of `values` (n,) at `places` (n, 2), at least `apart` from each other, at most
    `most`."""
    order = np.argsort(-values, kind="stable")
    kept: list[np.int64] = []
    while order.size and len(kept) < most:
        best = order[0]
        kept.append(best)
        away = np.hypot(*(places[order] - places[best]).T)
        order = order[1:][away[1:] >= apart]
    return np.array(kept, np.int64)


def _highest_around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest of each cell and its 8 neighbours."""
    return np.asarray(cv2.dilate(values, np.ones((3, 3), np.uint8)), np.float64)
