"""FROC numbers by hand."""

import numpy as np
import pytest

from mammoseg.metrics.froc import measure
from mammoseg.statistics.froc import Marked

MARKED = Marked(
    normal=np.array([True, True, False, False]),
    lesion_image=np.array([2, 2, 3]),
    lesion_rating=np.array([0.9, 0.2, -np.inf]),
    false_image=np.array([0, 0, 1, 2]),
    false_rating=np.array([0.8, 0.1, 0.5, 0.2]),
)


def test_by_hand() -> None:
    """In the order of ratings: lesion, false, false, lesion and false with the same rating, false."""
    numbers = {name: values[0] for name, values in measure(MARKED, np.ones((1, 4))).items()}
    at = [numbers[f"at_{rate}"] for rate in ("0.125", "0.25", "0.5", "1", "2", "4", "8")]
    assert at == pytest.approx([1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert numbers["cpm"] == pytest.approx(np.mean(at))
    assert (numbers["found"], numbers["false"]) == pytest.approx((2 / 3, 1))


def test_lesions_without_a_mark_anywhere_are_not_found() -> None:
    nothing = np.zeros(0)
    silent = Marked(MARKED.normal, MARKED.lesion_image, np.full(3, -np.inf), nothing.astype(int), nothing)
    assert {float(values[0]) for values in measure(silent, np.ones((1, 4))).values()} == {0.0}
