"""Numbers of R 4, pROC 1.18.0: auc(roc(y, a), partial.auc=c(1, 0.9), partial.auc.correct=TRUE), the cases as in the test."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score

from mammoseg.metrics.partial_auc import measure


def partial_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    return float(measure(labels, scores, np.ones((1, np.size(labels))))[0])


def test_equals_proc() -> None:
    i = np.arange(1, 201)
    y = ((i * 7) % 20 < 5).astype(float)
    a = np.round(((i * 37) % 101) / 101 + 0.45 * y, 2)
    b = np.round(((i * 53) % 97) / 97 + 0.3 * y + 0.2 * a, 2)
    assert [partial_auc(y, a), partial_auc(y, b)] == pytest.approx([0.713684210526, 0.697894736842], abs=1e-11)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=60))
def test_equals_scikit_learn(cases: list[tuple[int, int]]) -> None:
    labels, scores = np.array([*cases, (0, 3), (1, 5)]).T
    assert partial_auc(labels, scores / 8) == pytest.approx(roc_auc_score(labels, scores / 8, max_fpr=0.1), abs=1e-12)


def test_weights_are_repeated_cases() -> None:
    rng = np.random.default_rng(0)
    labels, scores = (rng.random(80) < 0.3).astype(float), rng.integers(0, 20, 80) / 20
    weights = rng.integers(0, 4, (30, 80))
    found = measure(labels, scores, weights)
    for row, times in enumerate(weights):
        expected = roc_auc_score(np.repeat(labels, times), np.repeat(scores, times), max_fpr=0.1)
        assert found[row] == pytest.approx(expected, abs=1e-12)


def test_perfect_is_one_and_chance_a_half() -> None:
    assert partial_auc([0, 0, 1], [0.1, 0.2, 0.3]) == 1
    assert partial_auc([0, 0, 1], [0.1, 0.1, 0.1]) == pytest.approx(0.5)


def test_a_missing_class_is_undefined() -> None:
    assert np.isnan(partial_auc([1, 1], [0.2, 0.4]))
    assert np.isnan(partial_auc([0, 0], [0.2, 0.4]))


@pytest.mark.shared
def test_reader_study_against_proc(shared: Path) -> None:
    study = pd.read_csv(shared / "data/reader_study/results.csv")
    for name, expected in (("AI_GMIC_top5_POM", 0.711211122588864), ("Reader01_POM", 0.65799558619884)):
        assert partial_auc(study["label"], study[name]) == pytest.approx(expected, abs=1e-9)
