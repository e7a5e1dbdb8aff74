"""PixelGrid: there and back for points and maps, checked against plain loops over exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mammoseg.records.grid import PixelGrid

SIDES = st.integers(1, 24)


@st.composite
def grids(draw: st.DrawFn, resampled: bool = True, resized: bool = True) -> PixelGrid:
    """Any grid of small sizes; windows may leave the image on every side."""
    original = draw(SIDES), draw(SIDES)
    height, width = draw(SIDES), draw(SIDES)
    return PixelGrid(
        original_shape=original,
        working_shape=(draw(SIDES), draw(SIDES)) if resampled else original,
        flipped=draw(st.booleans()),
        top=draw(st.integers(-12, 24)),
        left=draw(st.integers(-12, 24)),
        height=height,
        width=width,
        model_shape=(draw(SIDES), draw(SIDES)) if resized else (height, width),
    )


def to_cell(grid: PixelGrid, axis: int, pixel: int, cells: int) -> int:
    """The cell an original pixel's centre falls into, possibly outside [0, cells)."""
    n, working = grid.original_shape[axis], grid.working_shape[axis]
    start, length = ((grid.top, grid.height), (grid.left, grid.width))[axis]
    centre = Fraction(2 * pixel + 1, 2) * Fraction(working, n)
    if axis == 1 and grid.flipped:
        centre = working - centre
    return int((centre - start) * Fraction(cells, length) // 1)


def restored_by_loop(grid: PixelGrid, window_map: NDArray[np.int64]) -> NDArray[np.int64]:
    height, width = grid.original_shape
    rows, cols = window_map.shape
    restored = np.full((height, width), -1, dtype=np.int64)
    for y in range(height):
        for x in range(width):
            i, j = to_cell(grid, 0, y, rows), to_cell(grid, 1, x, cols)
            if 0 <= i < rows and 0 <= j < cols:
                restored[y, x] = window_map[i, j]
    return restored


def numbered(shape: tuple[int, int]) -> NDArray[np.int64]:
    return np.arange(shape[0] * shape[1]).reshape(shape)


@given(grids(), SIDES, SIDES)
def test_restore_agrees_with_a_loop(grid: PixelGrid, rows: int, cols: int) -> None:
    window_map = numbered((rows, cols))
    restored = grid.restore(window_map, fill=-1)
    assert restored.dtype == window_map.dtype
    np.testing.assert_array_equal(restored, restored_by_loop(grid, window_map))


@given(grids(resampled=False), st.integers(1, 4), st.integers(1, 4))
def test_project_undoes_restore(grid: PixelGrid, down: int, across: int) -> None:
    """For cells not smaller than a pixel every cell with its centre inside the image gets its own value back."""
    cells = max(1, grid.height // down), max(1, grid.width // across)
    window_map = numbered(cells)
    inside = grid.project(np.ones(grid.original_shape, dtype=bool), cells)
    projected = grid.project(grid.restore(window_map, fill=-1), cells, fill=-1)
    np.testing.assert_array_equal(projected, np.where(inside, window_map, -1))


@given(grids(), SIDES, SIDES)
def test_project_takes_the_pixel_under_the_cell_centre(grid: PixelGrid, rows: int, cols: int) -> None:
    """Compared in coordinates, away from pixel borders, where rounding decides."""
    original = numbered(grid.original_shape)
    projected = grid.project(original, (rows, cols), fill=-1)
    i, j = np.mgrid[:rows, :cols] + 0.5
    model = np.stack([i * grid.model_shape[0] / rows, j * grid.model_shape[1] / cols], axis=-1)
    points = grid.to_original(model)
    clear = (np.abs(points - np.rint(points)) > 1e-6).all(axis=-1)
    pixel = np.floor(points).astype(int)
    inside = ((pixel >= 0) & (pixel < grid.original_shape)).all(axis=-1)
    y, x = np.moveaxis(np.where(inside[..., None], pixel, 0), -1, 0)
    np.testing.assert_array_equal(projected[clear], np.where(inside, original[y, x], -1)[clear])


@given(grids(), st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1))
def test_points_there_and_back(grid: PixelGrid, points: list[tuple[float, float]]) -> None:
    array = np.array(points)
    np.testing.assert_allclose(grid.to_original(grid.to_model(array)), array, atol=1e-9)
    np.testing.assert_allclose(grid.to_model(grid.to_original(array)), array, atol=1e-9)


@given(grids(), SIDES, SIDES)
def test_cells_inside_are_those_whose_centre_is_in_the_image(grid: PixelGrid, rows: int, cols: int) -> None:
    image = np.ones(grid.original_shape, bool)
    np.testing.assert_array_equal(grid.inside((rows, cols)), grid.project(image, (rows, cols)))


@given(grids())
def test_a_rectangle_in_original_pixels_has_the_same_corners(grid: PixelGrid) -> None:
    top, left, bottom, right = grid.box_in_original(1, 2, 5, 9)
    assert top < bottom
    assert left < right
    ends = {(top, left), (bottom, right)} if not grid.flipped else {(top, right), (bottom, left)}
    assert ends == {tuple(point) for point in grid.to_original(np.array([[1.0, 2.0], [5.0, 9.0]])).tolist()}


@given(grids(resampled=False, resized=False))
def test_project_is_the_slice_of_a_padded_mirrored_image(grid: PixelGrid) -> None:
    original = numbered(grid.original_shape) + 1
    frame = original[:, ::-1] if grid.flipped else original
    padded = np.pad(frame, 50)
    y, x = grid.top + 50, grid.left + 50
    np.testing.assert_array_equal(grid.project(original), padded[y : y + grid.height, x : x + grid.width])


def test_mirrored_and_padded_by_hand() -> None:
    grid = PixelGrid((2, 3), (2, 3), flipped=True, top=-1, left=1, height=4, width=3, model_shape=(4, 3))
    image = np.array([[1, 2, 3], [4, 5, 6]])
    assert grid.project(image).tolist() == [[0, 0, 0], [2, 1, 0], [5, 4, 0], [0, 0, 0]]
    window = np.arange(12).reshape(4, 3)
    assert grid.restore(window, fill=-1).tolist() == [[4, 3, -1], [7, 6, -1]]
    np.testing.assert_array_equal(grid.to_model(np.array([0.5, 0.5])), [1.5, 1.5])


def test_leading_axes_are_kept() -> None:
    grid = PixelGrid((6, 4), (6, 4), flipped=False, top=0, left=0, height=6, width=4, model_shape=(6, 4))
    maps = np.random.default_rng(0).random((2, 3, 3, 2)).astype(np.float32)
    restored = grid.restore(maps)
    assert restored.shape == (2, 3, 6, 4)
    assert restored.dtype == np.float32
    np.testing.assert_array_equal(grid.project(restored, (3, 2)), maps)


def test_window_beside_the_image_restores_to_fill() -> None:
    grid = PixelGrid((6, 4), (6, 4), flipped=False, top=10, left=0, height=6, width=4, model_shape=(6, 4))
    assert np.isnan(grid.restore(np.ones((3, 2)), fill=np.nan)).all()


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="positive sizes"):
        PixelGrid((0, 4), (6, 4), flipped=False, top=0, left=0, height=6, width=4, model_shape=(6, 4))
    grid = PixelGrid((6, 4), (6, 4), flipped=False, top=0, left=0, height=6, width=4, model_shape=(6, 4))
    with pytest.raises(ValueError, match="Expected \\(6, 4\\)"):
        grid.project(np.zeros((4, 6)))
