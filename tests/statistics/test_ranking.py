import numpy as np
import pytest

from mammoseg.statistics.ranking import checked, weights_by_score


def test_weights_at_each_distinct_score() -> None:
    labels, scores, weights = [0, 1, 1, 0], [0.2, 0.1, 0.2, 0.9], np.array([[1.0, 1, 1, 1], [2, 0, 3, 1]])
    positives, negatives = weights_by_score(labels, scores, weights)
    assert positives.tolist() == [[1, 1, 0], [0, 3, 0]]
    assert negatives.tolist() == [[0, 1, 1], [0, 2, 1]]


def test_sorted_cases_give_the_same() -> None:
    rng = np.random.default_rng(0)
    for scores in (rng.random(50), rng.integers(0, 8, 50) / 8):
        labels, weights = (rng.random(50) < 0.3).astype(float), rng.integers(0, 3, (7, 50)).astype(float)
        order = np.argsort(scores, kind="stable")
        given = weights_by_score(labels, scores, weights)
        for one, other in zip(given, weights_by_score(labels[order], scores[order], weights[:, order]), strict=True):
            assert np.array_equal(one, other)


def test_several_scores_are_rows() -> None:
    assert checked([0, 1], [0.1, 0.2])[1].shape == (1, 2)
    assert checked([0, 1], [[0.1, 0.2], [0.3, 0.4], [0, 0]])[1].shape == (3, 2)
    assert checked([], [])[1].shape == (1, 0)
    with pytest.raises(ValueError, match=r"labels \(2,\) and scores \(2, 3\) do not belong together"):
        checked([0, 1], np.zeros((2, 3)))
