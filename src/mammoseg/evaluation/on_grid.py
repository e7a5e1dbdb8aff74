"""A map over the model window on a mask of original pixels, measured without being enlarged.

An original pixel has the value of the cell its centre falls into (records/grid.py). So the histograms of the pixels are those of
the cells, each counted as often as it has pixels, and the peak is found in the cells: the same numbers as from the enlarged map,
which is made only for a metric that asks for it.

Shapes   H, W original pixels | h, w cells
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mammoseg.records.grid import PixelGrid
from mammoseg.statistics.histogram import LEVELS, Counts, MapOnMask
from mammoseg.statistics.peaks import middle_of_highest


class OnGrid(MapOnMask):
    """As `MapOnMask` of the enlarged map."""

    def __init__(self, levels_hw: NDArray[np.uint16], grid: PixelGrid, mask_HW: NDArray[np.bool_]) -> None:
        """`levels_hw` is the map over the window of `grid`. ValueError when the mask does not have the pixels of the image."""
        if mask_HW.shape != grid.original_shape:
            raise ValueError(
                f"saliency map of an image of {grid.original_shape} pixels against a mask of {mask_HW.shape}; expected the same "
                "pixels. Use the mask that was drawn on this image, at its size."
            )
        self.levels_hw, self.mask_HW, self._grid = levels_hw, mask_HW, grid
        (self._rows, self._run_rows), (self._cols, self._run_cols) = (grid.cells(i, levels_hw.shape[i]) for i in (0, 1))

    @cached_property
    def levels_HW(self) -> NDArray[np.uint16]:  # type: ignore[override]
        """The enlarged map; 0 outside the window."""
        return self._grid.restore(self.levels_hw)

    @cached_property
    def histograms(self) -> tuple[Counts, Counts]:
        """Pixels with each level inside and outside the lesion, (65536,) each."""
        height, width = self.levels_hw.shape
        pixels_hw = np.outer(np.bincount(self._rows, minlength=height), np.bincount(self._cols, minlength=width))
        row, col = np.nonzero(self.mask_HW[self._run_rows, self._run_cols])
        lesion = np.bincount(self._rows[row] * width + self._cols[col], minlength=height * width)
        inside, total = self._levels_of(lesion), self._levels_of(pixels_hw.ravel())
        inside[0] += np.count_nonzero(self.mask_HW) - row.size  # outside the window
        total[0] += self.mask_HW.size - self._rows.size * self._cols.size
        return inside, total - inside

    @cached_property
    def peak(self) -> tuple[int, int] | None:
        """(row, column) of the highest peak of the enlarged map, from the part of it that holds all of the highest values."""
        found = np.flatnonzero(np.add(*self.histograms))
        if found.size == 1:
            return None
        highest_hw = self.levels_hw == found[-1]  # above 0, so no pixel outside the window has it
        rows = np.flatnonzero(highest_hw.any(axis=1)[self._rows])
        cols = np.flatnonzero(highest_hw.any(axis=0)[self._cols])
        top, left = int(rows[0]), int(cols[0])
        part = np.ix_(self._rows[top : rows[-1] + 1], self._cols[left : cols[-1] + 1])
        row, col = middle_of_highest(highest_hw[part])
        return self._run_rows.start + top + row, self._run_cols.start + left + col

    def _levels_of(self, pixels: NDArray[np.int64]) -> Counts:
        """Pixels of each cell -> pixels of each level."""
        counted = np.bincount(self.levels_hw.ravel(), weights=pixels, minlength=LEVELS)  # exact: below 2^53
        return counted.astype(np.int64)
