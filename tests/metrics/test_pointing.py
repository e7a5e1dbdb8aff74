"""Peaks at known distances from a lesion of known size."""

import numpy as np
import pytest

from mammoseg.metrics.pointing import measure
from mammoseg.statistics.histogram import MapOnMask


def on_mask(*peaks: tuple[int, int]) -> MapOnMask:
    mask_HW = np.zeros((40, 30), bool)
    mask_HW[10:20, 10:20] = True  # 100 pixels: a disc of radius 10 / sqrt(pi)
    levels_HW = np.full((40, 30), 7, np.uint16)
    for peak in peaks:
        levels_HW[peak] = 900
    return MapOnMask(levels_HW, mask_HW)


def test_a_peak_in_the_lesion() -> None:
    assert measure(on_mask((19, 10))) == {"inside": 1, "distance": 0}


@pytest.mark.parametrize(("peak", "pixels"), [((24, 12), 5), ((20, 10), 1), ((22, 23), 5)])
def test_a_peak_beside_it(peak: tuple[int, int], pixels: float) -> None:
    """(22, 23) is 3 rows and 4 columns from the corner (19, 19)."""
    numbers = measure(on_mask(peak))
    assert numbers == {"inside": 0, "distance": pytest.approx(pixels * np.sqrt(np.pi) / 10, rel=1e-5)}


def test_a_box_around_the_lesion_points_at_it() -> None:
    """As a detector paints it: all of it has one value."""
    assert measure(on_mask(*((row, col) for row in range(6, 24) for col in range(6, 24))))["inside"] == 1


def test_of_equal_peaks_the_middle_one_counts() -> None:
    assert measure(on_mask((2, 2), (15, 15), (30, 2)))["inside"] == 1
    assert measure(on_mask((2, 2), (30, 2), (15, 15)))["inside"] == 1
    assert measure(on_mask((2, 2), (3, 2), (15, 15)))["inside"] == 0, "the larger one counts"


def test_nothing_to_point_at_and_nothing_that_points() -> None:
    empty = on_mask((15, 15))
    for image in (on_mask(), MapOnMask(empty.levels_HW, np.zeros_like(empty.mask_HW))):
        assert all(np.isnan(value) for value in measure(image).values())
