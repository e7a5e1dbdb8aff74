"""The point of the crop on which the model window is centred.

CC    column: the window ends at the nipple. Row: the one that covers most foreground; among equals the one nearest to
      the middle of the crop, then the topmost. A crop not taller than the window: its middle.
MLO   the window ends at the nipple and at the lowest breast row.

The centre is a hint and may lie outside the crop: the window is padded and shifted afterwards.

Source   Released preprocessing of the NYU models. Which views are centred as CC is said in prep/projection.py.
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastBox
from mammoseg.prep.projection import projection_of

Shape = tuple[int, int]


def best_center(pixels: NDArray[np.generic], box: BreastBox, view: str, window: Shape) -> tuple[int, int]:
    """(row, column) for a crop (h, w) whose breast points right; `window` = (rows, columns) of the model."""
    rows, cols = window
    x = box.rightmost_points[1] - cols // 2 - 1
    if projection_of(view) == "CC":
        return _best_row(pixels, x, window), x
    lowest = box.bottommost_points[0]
    filled = np.flatnonzero((pixels[:, -cols:] != 0).any(axis=1))
    if filled.size:
        lowest = min(lowest, int(filled[-1]))
    return lowest - rows // 2 - 1, x


def _best_row(pixels: NDArray[np.generic], x: int, window: Shape) -> int:
    (height, width), (rows, cols) = pixels.shape, window
    middle = height // 2
    first, last = rows // 2, height - (rows - rows // 2)
    if first >= last:
        return middle
    shift = max(0, cols // 2 - x)  # a window that would start left of the crop is moved, not cut
    start, end = max(0, x - cols // 2), min(width, x + cols - cols // 2 + shift)
    filled = np.count_nonzero(pixels[:, start:end], axis=1)
    total = np.concatenate([[0], np.cumsum(filled)])
    candidates = np.arange(first, last + 1)
    score = total[candidates - first + rows] - total[candidates - first]
    best = candidates[score == score.max()]
    return int(best[np.argmin(np.abs(best - middle))])
