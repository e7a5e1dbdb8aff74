"""Polygons around regions."""

import numpy as np
import pytest

from mammoseg.records.outline import outlines


@pytest.mark.parametrize("place", [(0, 0, 1, 1), (2, 3, 5, 9), (7, 8, 10, 12)])
def test_of_a_rectangle_the_corners_of_its_pixels(place: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = place
    region = np.zeros((10, 12), bool)
    region[top:bottom, left:right] = True
    [corners] = outlines(region)
    assert {tuple(corner) for corner in corners.tolist()} == {
        (top, left),
        (top, right),
        (bottom, left),
        (bottom, right),
    }


def test_one_for_each_part_and_none_for_holes_or_nothing() -> None:
    region = np.zeros((20, 20), bool)
    assert outlines(region) == []
    region[1:6, 1:6], region[3, 3], region[10:12, 10:18] = True, False, True
    assert len(outlines(region)) == 2
