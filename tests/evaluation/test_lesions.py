"""Lesions drawn by hand."""

import numpy as np
import pytest
from scipy.ndimage import label

from mammoseg.evaluation.lesions import Lesion, lesions_of_boxes, lesions_of_mask, overlap


def test_parts_that_touch_at_a_corner_are_one_lesion() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:5, 3:6] = mask[5:7, 6:9] = mask[15, 20] = True
    first, second = lesions_of_mask(mask)
    assert first.box == (2, 3, 7, 9)
    assert first.area_px == 15
    assert second.box == (15, 20, 16, 21)
    assert second.diameter_px == pytest.approx(2 / np.sqrt(np.pi))
    assert lesions_of_mask(np.zeros((5, 5), bool)) == []


def test_every_pixel_belongs_to_one_lesion() -> None:
    mask = np.random.default_rng(0).random((40, 30)) < 0.3
    lesions = lesions_of_mask(mask)
    assert len(lesions) == label(mask, np.ones((3, 3)))[1]
    held = np.array(
        [[sum(lesion.holds((r + 0.5, c + 0.9)) for lesion in lesions) for c in range(30)] for r in range(40)]
    )
    np.testing.assert_array_equal(held, mask)
    assert sum(lesion.area_px for lesion in lesions) == mask.sum()


def test_a_box_holds_its_first_row_and_column_and_not_those_behind_it() -> None:
    [lesion] = lesions_of_boxes([(10, 20, 30, 50)])
    assert [lesion.holds(place) for place in ((10, 20), (29.9, 49.9), (30, 40), (20, 50), (9.9, 30))] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert lesion.diameter_px == pytest.approx(np.sqrt(20 * 30))  # of the ellipse in it


def test_pixels_in_patches() -> None:
    """A patch that leaves the image, and two that overlap; a pixel is covered by its centre."""
    mask = np.zeros((20, 20), bool)
    mask[2:6, 0:10] = True
    [lesion] = lesions_of_mask(mask)
    assert lesion.covered_px([]) == 0
    assert lesion.covered_px([(-5, -5, 4, 4)]) == 2 * 4
    assert lesion.covered_px([(0, 0, 10, 5), (0, 3, 10, 8)]) == 4 * 8
    assert lesion.covered_px([(2.5, 0, 3.5, 10)]) == 10
    assert lesion.covered_px([(2.51, 0, 3.49, 10)]) == 0
    assert lesion.covered_px([(10, 10, 20, 20), (-9, -9, -5, -5)]) == 0
    assert Lesion((0, 0, 4, 4), 12.0).covered_px([(0, 0, 9, 9)]) == 0


@pytest.mark.parametrize(
    ("other", "expected"), [((0, 0, 10, 10), 1), ((0, 5, 10, 15), 1 / 3), ((20, 20, 30, 30), 0), ((10, 0, 20, 10), 0)]
)
def test_overlap_of_boxes(other: tuple[float, float, float, float], expected: float) -> None:
    assert overlap((0, 0, 10, 10), other) == pytest.approx(expected)
