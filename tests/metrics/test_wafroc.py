"""The weighted AFROC figure of merit by hand."""

import numpy as np
import pytest

from mammoseg.metrics import afroc
from mammoseg.metrics.wafroc import measure
from mammoseg.statistics.froc import Marked


def marked_of(*lesion_image: int) -> Marked:
    ratings = np.array([0.9, 0.2, -np.inf])
    return Marked(
        np.array([True, True, False, False, False]), np.array(lesion_image), ratings, np.array([0]), np.array([0.8])
    )


def test_images_count_alike() -> None:
    """An image with the lesions 0.9 and 0.2, one with a lesion without a mark, against normal images 0.8 and one without a mark."""
    both = (0.5 * 2 + 0.5 * 1) / 2
    assert measure(marked_of(2, 2, 3), np.ones((1, 5)))[0] == pytest.approx((both + 0.25) / 2)


def test_with_one_lesion_in_each_image_it_is_the_afroc() -> None:
    marked, weights = marked_of(2, 3, 4), np.array([[1.0, 2, 1, 3, 1]])
    assert measure(marked, weights)[0] == pytest.approx(afroc.measure(marked, weights)[0])
