"""Cutting windows: content, padding, noise, and a grid that tells the truth about all of it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.window import WindowNoise, cut_window, nominal_borders
from mammoseg.records.grid import PixelGrid

IMAGE = np.random.default_rng(1).integers(1, 60000, (60, 50)).astype(np.uint16)


def crop_of(window: tuple[int, int, int, int], flipped: bool, view: str, center: tuple[int, int]) -> BreastCrop:
    top, bottom, left, right = window
    pixels = IMAGE[top:bottom, left:right]
    return BreastCrop(
        pixels=pixels[:, ::-1] if flipped else pixels,
        image_id="a",
        view=view,
        original_shape=(60, 50),
        working_shape=(60, 50),
        flipped=flipped,
        window=window,
        rightmost_points=((0, 0), 0),
        bottommost_points=(0, (0, 0)),
        distance_from_starting_side=0,
        best_center=center,
    )


@st.composite
def crops(draw: st.DrawFn) -> BreastCrop:
    top, left = draw(st.integers(0, 50)), draw(st.integers(0, 40))
    return crop_of(
        (top, draw(st.integers(top + 1, 60)), left, draw(st.integers(left + 1, 50))),
        flipped=draw(st.booleans()),
        view=draw(st.sampled_from(["CC", "MLO"])),
        center=(draw(st.integers(-20, 70)), draw(st.integers(-20, 70))),
    )


def only_crop(crop: BreastCrop) -> NDArray[np.uint16]:
    top, bottom, left, right = crop.window
    image = np.zeros_like(IMAGE)
    image[top:bottom, left:right] = IMAGE[top:bottom, left:right]
    return image


WINDOWS = st.tuples(st.integers(11, 45), st.integers(11, 45))


@given(crops(), WINDOWS)
def test_the_grid_finds_every_pixel_of_the_window(crop: BreastCrop, window: tuple[int, int]) -> None:
    cut, grid = cut_window(crop, window)
    assert cut.dtype == np.float32
    assert cut.shape == grid.model_shape == (grid.height, grid.width) == window
    np.testing.assert_array_equal(grid.project(only_crop(crop)), cut)


@given(crops(), WINDOWS, st.tuples(st.integers(0, 30), st.integers(0, 30)), st.integers(0, 5), st.integers(0, 99))
def test_the_grid_finds_a_noisy_window(
    crop: BreastCrop, window: tuple[int, int], location: tuple[int, int], size: int, seed: int
) -> None:
    noise = WindowNoise(location, size)
    cut, grid = cut_window(crop, window, noise, np.random.default_rng(seed))
    assert cut.shape == grid.model_shape == window
    assert abs(grid.height - window[0]) <= 2 * size
    assert abs(grid.width - window[1]) <= 2 * size
    shown = grid.project(only_crop(crop), (grid.height, grid.width)).astype(np.float32)
    if shown.shape != window:
        shown = cv2.resize(shown, window[::-1], interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(shown, cut)


@given(crops(), WINDOWS, st.integers(0, 5), st.integers(0, 99))
def test_borders_stay_inside_the_padded_crop(crop: BreastCrop, window: tuple[int, int], size: int, seed: int) -> None:
    borders = nominal_borders(crop, window, WindowNoise((7, 7), size))
    height, width = borders.padded_shape
    assert 0 <= borders.top < borders.bottom <= height
    assert 0 <= borders.left < borders.right <= width
    assert height >= max(window[0], crop.pixels.shape[0])


def test_small_crops_are_padded() -> None:
    cc, _ = cut_window(crop_of((10, 15, 0, 4), False, "CC", (2, -3)), (10, 8))
    assert cc.any(axis=1).tolist() == [False] * 2 + [True] * 5 + [False] * 3
    assert cc.any(axis=0).tolist() == [True] * 4 + [False] * 4
    mlo, grid = cut_window(crop_of((10, 15, 0, 4), False, "MLO", (2, -3)), (10, 8))
    assert mlo.any(axis=1).tolist() == [True] * 5 + [False] * 5
    assert (grid.top, grid.left) == (10, 0)


def test_mirrored_crop() -> None:
    cut, grid = cut_window(crop_of((10, 40, 20, 50), True, "CC", (15, 15)), (10, 8))
    np.testing.assert_array_equal(cut, IMAGE[:, ::-1][20:30, 11:19])
    assert grid == PixelGrid((60, 50), (60, 50), True, top=20, left=11, height=10, width=8, model_shape=(10, 8))


def test_draws_are_few_and_fixed() -> None:
    """Two for the location unless it is zero, then four, whatever the image: later draws do not depend on it."""
    crop = crop_of((0, 60, 0, 50), False, "CC", (30, 25))
    for location, size, count in (((3, 3), 3, 6), ((0, 0), 3, 4), ((3, 3), 0, 6), ((0, 0), 0, 4)):
        used, fresh = np.random.default_rng(5), np.random.default_rng(5)
        cut_window(crop, (20, 20), WindowNoise(location, size), used)
        fresh.uniform(-1, 1, count)
        assert used.random() == fresh.random()


def test_noise_of_zero_changes_nothing() -> None:
    crop = crop_of((0, 60, 0, 50), False, "CC", (30, 25))
    noisy, noisy_grid = cut_window(crop, (20, 20), WindowNoise((0, 0), 0), np.random.default_rng(0))
    plain, plain_grid = cut_window(crop, (20, 20))
    np.testing.assert_array_equal(noisy, plain)
    assert noisy_grid == plain_grid


def test_wrong_noise_is_refused() -> None:
    crop = crop_of((0, 60, 0, 50), False, "CC", (30, 25))
    with pytest.raises(ValueError, match="Pass a numpy Generator"):
        cut_window(crop, (20, 20), WindowNoise())
    with pytest.raises(ValueError, match="at most 9"):
        cut_window(crop, (20, 20), WindowNoise((0, 0), 10), np.random.default_rng(0))


@given(crops(), st.tuples(st.integers(1, 80), st.integers(1, 80)))
def test_a_resized_window_is_the_whole_crop(crop: BreastCrop, window: tuple[int, int]) -> None:
    cut, grid = cut_window(crop, window, fit="resize")
    top, bottom, left, right = crop.window
    assert (cut.dtype, cut.shape) == (np.float32, window)
    origin = 50 - right if crop.flipped else left
    assert grid == PixelGrid((60, 50), (60, 50), crop.flipped, top, origin, bottom - top, right - left, window)
    assert crop.pixels.min() * (1 - 1e-6) <= cut.min()
    assert cut.max() <= crop.pixels.max() * (1 + 1e-6)
    everywhere = grid.restore(np.ones(window, bool))
    assert everywhere[top:bottom, left:right].all()
    assert everywhere.sum() == (bottom - top) * (right - left)


def test_shrinking_takes_the_mean_of_all_pixels() -> None:
    cut, _ = cut_window(crop_of((0, 60, 0, 50), False, "CC", (0, 0)), (12, 10), fit="resize")
    np.testing.assert_allclose(cut, IMAGE.reshape(12, 5, 10, 5).mean((1, 3)), rtol=1e-6)


def test_each_axis_is_resized_by_itself() -> None:
    """Columns shrink by area while rows grow, without a column that is skipped."""
    crop = crop_of((0, 20, 0, 50), False, "MLO", (0, 0))
    cut, _ = cut_window(crop, (40, 10), fit="resize")
    narrow = IMAGE[:20].reshape(20, 10, 5).mean(2)
    np.testing.assert_allclose(cut[1:-1:2], 0.75 * narrow[:-1] + 0.25 * narrow[1:], rtol=1e-5)


def test_a_window_of_the_size_of_the_crop_keeps_every_pixel() -> None:
    crop = crop_of((5, 45, 10, 40), True, "MLO", (7, 7))
    cut, _ = cut_window(crop, (40, 30), fit="resize")
    np.testing.assert_array_equal(cut, crop.pixels)


@given(crops(), WINDOWS, st.tuples(st.integers(0, 90), st.integers(0, 90)), st.integers(0, 90), st.integers(0, 99))
def test_the_grid_finds_a_noisy_resized_window(
    crop: BreastCrop, window: tuple[int, int], location: tuple[int, int], size: int, seed: int
) -> None:
    """However small the crop: zeros where the moved box leaves it, and never an empty box."""
    noise, used, fresh = WindowNoise(location, size), np.random.default_rng(seed), np.random.default_rng(seed)
    cut, grid = cut_window(crop, window, noise, used, fit="resize")
    assert cut.shape == grid.model_shape == window
    boxed, boxed_grid = cut_window(crop, (grid.height, grid.width), noise, fresh, fit="resize")
    assert used.random() == fresh.random()
    assert replace(boxed_grid, model_shape=window) == grid
    np.testing.assert_array_equal(boxed_grid.project(only_crop(crop)), boxed)  # the box, before it is resized
    assert abs(grid.height - crop.pixels.shape[0]) <= 2 * size
    assert abs(grid.width - crop.pixels.shape[1]) <= 2 * size


def test_noise_moves_a_resized_window() -> None:
    crop = crop_of((10, 50, 5, 45), False, "CC", (0, 0))
    grids = {
        cut_window(crop, (20, 20), WindowNoise((4, 4), 4), np.random.default_rng(n), "resize")[1] for n in range(9)
    }
    assert len({(grid.top, grid.left) for grid in grids}) > 5
    assert len({(grid.height, grid.width) for grid in grids}) > 5
    assert min(grid.left for grid in grids) >= 5, "the chest wall stays at the border or leaves it"


def test_beside_a_resized_crop_are_zeros() -> None:
    crop = crop_of((10, 50, 5, 45), False, "MLO", (0, 0))
    for seed in range(9):
        cut, grid = cut_window(crop, (40, 40), WindowNoise((8, 8), 0), np.random.default_rng(seed), "resize")
        below, right = grid.top - 10, grid.left - 5
        assert min(below, right) >= 0, "an MLO window is moved down and to the right"
        np.testing.assert_array_equal(cut[: 40 - below, : 40 - right], crop.pixels[below:, right:])
        assert not cut[40 - below :].any()
        assert not cut[:, 40 - right :].any()
