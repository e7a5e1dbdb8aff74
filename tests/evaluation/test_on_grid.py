"""What is measured in cells is what the enlarged map gives, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammoseg.evaluation.on_grid import OnGrid
from mammoseg.records.grid import PixelGrid
from mammoseg.statistics.histogram import MapOnMask

SHAPE = (19, 14)


@st.composite
def on_grids(draw: st.DrawFn) -> OnGrid:
    """Windows that leave the image or miss parts of it, mirrored, resampled, with maps finer and coarser than the pixels."""
    working = draw(st.tuples(st.integers(5, 30), st.integers(5, 30)))
    top, left = draw(st.integers(-10, 10)), draw(st.integers(-10, 10))
    window = draw(st.tuples(st.integers(1, 30), st.integers(1, 30)))
    grid = PixelGrid(SHAPE, working, draw(st.booleans()), top, left, *window, window)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    levels = rng.integers(0, draw(st.sampled_from([1, 2, 5, 65536])), cells).astype(np.uint16)
    return OnGrid(levels, grid, rng.random(SHAPE) < draw(st.sampled_from([0, 0.1, 0.9])))


@given(on_grids())
def test_histograms_and_peak_are_those_of_the_enlarged_map(image: OnGrid) -> None:
    enlarged = MapOnMask(image.levels_HW, image.mask_HW)
    for found, expected in zip(image.histograms, enlarged.histograms, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert image.peak == enlarged.peak


def test_the_mask_has_the_pixels_of_the_image() -> None:
    grid = PixelGrid(SHAPE, SHAPE, False, 0, 0, *SHAPE, SHAPE)
    with pytest.raises(ValueError, match=r"image of \(19, 14\) pixels against a mask of \(14, 19\)"):
        OnGrid(np.zeros((3, 2), np.uint16), grid, np.zeros((14, 19), bool))
