"""Peaks of a map: its local maxima, thinned out by their distance, and the highest of them.

Peak       A plateau: cells of one value that touch each other (8 neighbours), of which none touches a cell of a higher value. Its
           place is its cell nearest to the mean of its cells; of several as near, the first row by row.
Highest    The largest of the plateaus with the highest value; of several as large, the middle one by their first cells.
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
    return cells[np.sort(_middles(cells, plateau))]


def middle_of_highest(highest_hw: NDArray[np.bool_]) -> tuple[int, int]:
    """(row, column) of the highest peak of a map, whose cells (h, w) say whether they have its highest value: at least one has."""
    rows, columns = (np.flatnonzero(highest_hw.any(axis=axis)) for axis in (1, 0))
    plateaus, _ = label(highest_hw[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], _TOUCH)
    size = np.bincount(plateaus.ravel())
    size[0] = 0
    largest = np.flatnonzero(size == size.max())
    cells = np.argwhere(plateaus == largest[largest.size // 2])
    row, column = cells[_middles(cells, np.zeros(len(cells), np.int64))[0]]
    return int(rows[0] + row), int(columns[0] + column)


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


def _middles(cells: Ints, plateau: Ints) -> Ints:
    """Which of the (n, 2) cells, row by row, are the places of the plateaus that they belong to: `plateau` (n,), from 0 on."""
    size = np.bincount(plateau)
    mean = np.stack([np.bincount(plateau, weights=axis) / size for axis in cells.T], axis=1)
    away = np.square(cells - mean[plateau]).sum(axis=1).round(6)  # equally near is equal, whatever the sum has lost
    order = np.lexsort((np.arange(len(cells)), away, plateau))
    return order[np.flatnonzero(np.diff(plateau[order], prepend=-1))]


def _highest_around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest of each cell and its 8 neighbours."""
    return np.asarray(cv2.dilate(values, np.ones((3, 3), np.uint8)), np.float64)
