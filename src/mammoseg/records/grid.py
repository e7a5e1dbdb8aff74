"""PixelGrid: the exact, invertible relation between the pixels of a file and the window a model sees.

The way from a file to a model window has at most three steps, and a grid records each of them:

1. resample   original (H, W) -> working (h, w), each axis scaled by h/H and w/W (none: equal shapes);
2. mirror     left-right, so that every breast points right;
3. window     the rectangle [top, top + height) x [left, left + width) of the mirrored working frame. It may leave the
              image (zero padding). It is shown to the model with `model_shape` pixels (another shape: resized).

A *map* is any array that covers this window, at any resolution (184 x 120 cells, 736 x 480, the window itself).

Coordinates are (row, column), continuous, with pixel i covering [i, i + 1), so its centre is i + 0.5. Maps are moved by
nearest neighbour: an original pixel takes the value of the cell its centre falls into, computed in integers, so that
the result is the same on every machine.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mammoseg.records.finding import Box

DType = TypeVar("DType", bound=np.generic)
Shape = tuple[int, int]


@dataclass(frozen=True)
class PixelGrid:
    """Where a model window lies in the original image. See the module text for the three steps."""

    original_shape: Shape
    """(H, W) of the file, in pixels."""
    working_shape: Shape
    """(h, w) after resampling, before mirroring and cutting."""
    flipped: bool
    """Whether the working image was mirrored left-right."""
    top: int
    """First window row in the mirrored working frame; negative: padding above."""
    left: int
    """First window column in the mirrored working frame; negative: padding on the left."""
    height: int
    """Rows of the window in working pixels."""
    width: int
    """Columns of the window in working pixels."""
    model_shape: Shape
    """(rows, columns) the model sees."""

    def __post_init__(self) -> None:
        sizes = (*self.original_shape, *self.working_shape, self.height, self.width, *self.model_shape)
        if min(sizes) < 1:
            raise ValueError(f"PixelGrid needs positive sizes, got {self}")

    def to_model(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Original coordinates (..., 2) as (row, column) -> model pixel coordinates (..., 2)."""
        (H, W), (h, w), (rows, cols) = self.original_shape, self.working_shape, self.model_shape
        y = points[..., 0] * (h / H)
        x = points[..., 1] * (w / W)
        x = w - x if self.flipped else x
        return np.stack([(y - self.top) * (rows / self.height), (x - self.left) * (cols / self.width)], axis=-1)

    def to_original(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Model pixel coordinates (..., 2) as (row, column) -> original coordinates (..., 2)."""
        (H, W), (h, w), (rows, cols) = self.original_shape, self.working_shape, self.model_shape
        y = points[..., 0] * (self.height / rows) + self.top
        x = points[..., 1] * (self.width / cols) + self.left
        x = w - x if self.flipped else x
        return np.stack([y * (H / h), x * (W / w)], axis=-1)

    def box_in_original(self, top: float, left: float, bottom: float, right: float) -> Box:
        """A rectangle of model pixels in original pixels, mirrored where the breast was; it may leave the image."""
        (row_a, col_a), (row_b, col_b) = self.to_original(np.array([[top, left], [bottom, right]])).tolist()
        return min(row_a, row_b), min(col_a, col_b), max(row_a, row_b), max(col_a, col_b)

    def inside(self, shape: Shape) -> NDArray[np.bool_]:
        """For every cell of a map of this shape over the window: whether its centre lies in the image."""
        return self._sources(0, shape[0])[1][:, None] & self._sources(1, shape[1])[1]

    def restore(self, window_map: NDArray[DType], fill: float = 0) -> NDArray[DType]:
        """A map (..., rows, columns) covering the window -> (..., H, W) in original pixels.

        Pixels outside the window become `fill`.
        """
        rows, inside_rows = self.cells(0, window_map.shape[-2])
        cols, inside_cols = self.cells(1, window_map.shape[-1])
        shape = (*window_map.shape[:-2], *self.original_shape)
        if inside_rows.start == inside_rows.stop or inside_cols.start == inside_cols.stop:
            return np.full(shape, fill, window_map.dtype)
        inner = np.take(np.take(window_map, rows, axis=-2), cols, axis=-1)
        if inner.shape == shape:
            return inner
        restored = np.full(shape, fill, window_map.dtype)
        restored[..., inside_rows, inside_cols] = inner
        return restored

    def project(self, original: NDArray[DType], shape: Shape | None = None, fill: float = 0) -> NDArray[DType]:
        """An original array (..., H, W), e.g. a lesion mask -> (..., *shape) over the window, by nearest neighbour.

        `shape` is `model_shape` if not given. Cells whose centre lies outside the image become `fill`.
        """
        if original.shape[-2:] != self.original_shape:
            raise ValueError(
                f"PixelGrid.project: the array has {original.shape[-2:]} pixels. Expected {self.original_shape}, the "
                "image this grid belongs to. Pass an array over the whole image."
            )
        shape = shape or self.model_shape
        rows, rows_ok = self._sources(0, shape[0])
        cols, cols_ok = self._sources(1, shape[1])
        projected = np.take(np.take(original, rows, axis=-2), cols, axis=-1)
        projected[..., ~rows_ok, :] = fill
        projected[..., ~cols_ok] = fill
        return projected

    def cells(self, axis: int, cells: int) -> tuple[NDArray[np.int64], slice]:
        """Along an axis (0: rows, 1: columns) of a map of so many cells: the cell of each original pixel inside the window.

        These pixels are a contiguous run, which is returned as slice.
        """
        n, working, start, length, mirrored = self._axis(axis)
        centres = 2 * np.arange(n, dtype=np.int64) + 1  # in half pixels
        if mirrored:
            centres = 2 * n - centres
        index = (centres * working - 2 * n * start) * cells // (2 * n * length)
        inside = np.flatnonzero((index >= 0) & (index < cells))
        if inside.size == 0:
            return inside, slice(0, 0)
        run = slice(int(inside[0]), int(inside[-1]) + 1)
        return index[run], run

    def _axis(self, axis: int) -> tuple[int, int, int, int, bool]:
        start, length = ((self.top, self.height), (self.left, self.width))[axis]
        return self.original_shape[axis], self.working_shape[axis], start, length, axis == 1 and self.flipped

    def _sources(self, axis: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """For every cell along an axis: the original pixel under its centre, and whether there is one."""
        n, working, start, length, mirrored = self._axis(axis)
        centres = 2 * np.arange(cells, dtype=np.int64) + 1  # in half cells
        index = (centres * length + 2 * cells * start) * n // (2 * cells * working)
        index = n - 1 - index if mirrored else index
        inside = (index >= 0) & (index < n)
        return np.clip(index, 0, n - 1), inside
