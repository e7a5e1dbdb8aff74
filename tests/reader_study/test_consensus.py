"""A majority is more than half."""

import numpy as np

from mammoseg.reader_study.consensus import majority, recalls


def test_majority() -> None:
    scores = np.array([[1.0, 4, 3, 5], [2, 3, 3, 5], [5, 1, 1, 5], [1, 4, 2, 1]])
    recalled = recalls(scores, 3)
    assert recalled.sum(axis=0).tolist() == [1, 3, 2, 3]
    assert majority(recalled).tolist() == [False, True, False, True]
    assert majority(recalled[:1]).tolist() == [False, True, True, True]
