import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from mammoseg.metrics.average_precision import measure


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    return float(measure(labels, scores, np.ones((1, np.size(labels))))[0])


def test_by_hand() -> None:
    assert average_precision([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.9]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=40))
def test_equals_scikit_learn(cases: list[tuple[int, int]]) -> None:
    labels, scores = np.array([*cases, (0, 3), (1, 5)]).T
    assert average_precision(labels, scores / 8) == pytest.approx(
        average_precision_score(labels, scores / 8), abs=1e-12
    )


def test_without_a_positive_it_is_undefined_without_a_negative_perfect() -> None:
    assert np.isnan(average_precision([0, 0], [0.2, 0.4]))
    assert average_precision([1, 1], [0.2, 0.4]) == 1.0
