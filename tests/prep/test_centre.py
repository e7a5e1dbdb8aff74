"""The centre of the window, against a search over all candidates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastBox
from mammoseg.prep.centre import best_center


def box(rightmost: int, bottommost: int) -> BreastBox:
    return BreastBox((0, 0, 0, 0), ((0, 0), rightmost), (bottommost, (0, 0)), 0)


def best_row_by_search(pixels: NDArray[np.uint8], x: int, window: tuple[int, int]) -> int:
    """As specified: every candidate row scored by counting, ties by distance, then by row."""
    (height, width), (rows, cols) = pixels.shape, window
    first, last = rows // 2, height - (rows - rows // 2)
    if first >= last:
        return height // 2
    shift = max(0, cols // 2 - x)
    left, right = max(0, x - cols // 2), min(width, x + cols - cols // 2 + shift)
    ranked = []
    for y in range(first, last + 1):
        shown = pixels[y - rows // 2 : y + rows - rows // 2, left:right]
        ranked.append((-np.count_nonzero(shown), abs(y - height // 2), y))
    return min(ranked)[2]


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 15), st.integers(1, 15)), elements=st.integers(0, 1)),
    st.integers(0, 15),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_cc(pixels: NDArray[np.uint8], rightmost: int, window: tuple[int, int]) -> None:
    y, x = best_center(pixels, box(min(rightmost, pixels.shape[1]), 0), "CC", window)
    assert x == min(rightmost, pixels.shape[1]) - window[1] // 2 - 1
    assert y == best_row_by_search(pixels, x, window)


def test_mlo_ends_at_the_lowest_tissue_in_the_last_columns() -> None:
    pixels = np.zeros((20, 10), np.uint8)
    pixels[:18, :3] = 1  # lower, but outside the last 6 columns
    pixels[:15, 3:7] = 1
    assert best_center(pixels, box(7, 17), "MLO", (8, 6)) == (14 - 4 - 1, 7 - 3 - 1)
    assert best_center(pixels, box(7, 12), "MLO", (8, 6)) == (12 - 4 - 1, 7 - 3 - 1)
    assert best_center(np.zeros((20, 10), np.uint8), box(7, 12), "MLO", (8, 6)) == (12 - 4 - 1, 7 - 3 - 1)
