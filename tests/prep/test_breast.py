"""The breast mask against plain morphology, and the box around it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from mammoseg.prep.breast import breast_box, largest_opened
from mammoseg.prep.config import PrepConfig

MASKS = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(
    lambda shape: arrays.arrays(bool, shape, elements=st.sampled_from([True, True, True, True, False]))
)
SMALL = PrepConfig(opening_px=0, buffer_px=1)


def opened_by_scipy(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_] | None:
    eroded = ndimage.binary_erosion(mask, iterations=radius) if radius else mask
    labels, count = ndimage.label(eroded)
    if count == 0:
        return None
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return ndimage.binary_dilation(largest, iterations=radius) if radius else largest


@given(MASKS, st.integers(0, 5))
def test_same_as_repeated_erosion_and_dilation(mask: NDArray[np.bool_], radius: int) -> None:
    opened, expected = largest_opened(mask, radius), opened_by_scipy(mask, radius)
    if expected is None:
        assert opened is None
    else:
        assert opened is not None
        np.testing.assert_array_equal(opened, expected)


def test_large_radius() -> None:
    y, x = np.mgrid[:700, :600]
    mask = ((y - 350) / 340) ** 2 + (x / 500) ** 2 <= 1
    mask[40:60, 300:] = True
    np.testing.assert_array_equal(largest_opened(mask, 100), opened_by_scipy(mask, 100))


@pytest.mark.parametrize("transposed", [False, True])
def test_of_equal_components_the_first_in_raster_order_wins(transposed: bool) -> None:
    mask = np.zeros((9, 30), dtype=bool)
    mask[5:8, 2:5] = mask[1:4, 20:23] = True
    opened = largest_opened(mask.T if transposed else mask, 1)
    assert opened is not None
    assert opened.sum() == 5
    assert opened[(3, 6) if transposed else (2, 21)]


def test_label_and_thin_line_are_removed() -> None:
    mask = np.zeros((100, 80), dtype=bool)
    mask[20:90, :40] = True
    mask[5:15, 60:75] = True
    mask[:, 78] = True
    mask[50, 40:78] = True  # joins the breast and the line
    opened = largest_opened(mask, 4)
    assert opened is not None
    assert not opened[:, 45:].any()
    assert opened[50, 39]


@pytest.mark.parametrize("mask", [np.zeros((50, 50), bool), np.ones((7, 50), bool), np.ones((50, 7), bool)])
def test_nothing_left(mask: NDArray[np.bool_]) -> None:
    assert largest_opened(mask, 4) is None


def test_whole_image_keeps_all_but_its_corners() -> None:
    opened = largest_opened(np.ones((30, 40), bool), 5)
    assert opened is not None
    assert opened.any(axis=0).all()
    assert opened.any(axis=1).all()
    assert not opened[[0, 0, -1, -1], [0, -1, 0, -1]].any()


ROWS = ["......", "##....", "####..", "###...", ".##...", "......"]
BREAST = np.array([[cell == "#" for cell in row] for row in ROWS])


def test_box_of_a_breast_pointing_right() -> None:
    box = breast_box(BREAST, points_right=True, cfg=SMALL)
    assert box is not None
    assert box.window == (0, 6, 0, 5)
    assert box.rightmost_points == ((2, 2), 3)
    assert box.bottommost_points == (4, (1, 2))
    assert box.distance_from_starting_side == 0


def test_box_of_a_breast_pointing_left_counts_columns_from_one_too_far_right() -> None:
    box = breast_box(BREAST[:, ::-1], points_right=False, cfg=SMALL)
    assert box is not None
    assert box.window == (0, 6, 1, 6)
    assert box.rightmost_points == ((2, 2), 4)
    assert box.bottommost_points == (4, (2, 3))
    assert box.distance_from_starting_side == 0


def test_box_ignores_the_top_and_measures_the_gap() -> None:
    shifted = np.roll(BREAST, 1, axis=1)
    box = breast_box(shifted, points_right=True, cfg=SMALL.model_copy(update={"ignore_top": 0.5}))
    assert box is not None
    assert box.window == (0, 6, 1, 6)
    assert box.rightmost_points == ((3, 4), 2)  # row 2, which reaches further, is ignored
    assert box.distance_from_starting_side == 1


def test_no_box_if_all_lies_in_the_ignored_part() -> None:
    mask = np.zeros((80, 10), bool)
    mask[0, :5] = True
    assert breast_box(mask, points_right=True, cfg=PrepConfig(opening_px=0)) is None
