"""A breast whose images are not all known is not taken for negative."""

import numpy as np
import pytest

from mammoseg.data.breasts import breast_labels

NAN = np.nan


@pytest.mark.parametrize(
    ("images", "breast"),
    [
        ([0, 0], 0),
        ([0, 1], 1),
        ([1, NAN], 1),
        ([0, NAN], NAN),
        ([NAN, NAN], NAN),
        ([0], 0),
        ([NAN, 0, 0, 1], 1),
    ],
)
def test_positive_if_one_is_negative_if_all_are_else_unknown(images: list[float], breast: float) -> None:
    labels = np.array(images, dtype=float)[:, None]
    np.testing.assert_array_equal(breast_labels(labels, np.zeros(len(images), int)), [[breast]])
    np.testing.assert_array_equal(breast_labels(labels[::-1], np.zeros(len(images), int)), [[breast]])


def test_breasts_and_classes_by_themselves() -> None:
    labels = np.array([[0, 1], [0, NAN], [NAN, 0], [1, 0]])
    np.testing.assert_array_equal(breast_labels(labels, np.array([1, 0, 1, 0])), [[1, NAN], [NAN, 1]])
    assert breast_labels(np.empty((0, 3)), np.empty(0, int)).shape == (0, 3)
