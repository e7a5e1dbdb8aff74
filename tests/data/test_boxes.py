"""Boxes of masks."""

import numpy as np

from mammoseg.data.boxes import boxes_of_mask


def test_a_box_around_each_connected_part() -> None:
    mask = np.zeros((10, 12), bool)
    mask[1:4, 2:5] = mask[4, 5] = True  # touches at a corner
    mask[8:10, 0:12] = True
    assert boxes_of_mask(mask) == ((1, 2, 5, 6), (8, 0, 10, 12))
    assert boxes_of_mask(np.zeros((3, 3), bool)) == ()
