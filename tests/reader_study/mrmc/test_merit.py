"""Figures of merit against the definitions, with cases that count several times or not at all."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mammoseg.reader_study.mrmc.merit import (
    AUC,
    of_function,
    sensitivity_at,
    sensitivity_reached,
    specificity_at,
    specificity_at_sensitivity,
)

LABELS = np.array([1.0, 1, 1, 0, 0, 0, 0])
SCORES = np.array([0.9, 0.5, 0.2, 0.6, 0.5, 0.1, 0.0])
ONCE = np.ones((1, 7))


def test_any_function_of_labels_and_scores_with_weights() -> None:
    weights = np.array([[1, 1, 1, 1, 1, 1, 1], [2, 0, 1, 1, 3, 0, 1]], dtype=float)
    ours, theirs = AUC(LABELS, SCORES, weights), of_function(roc_auc_score)(LABELS, SCORES, weights)
    np.testing.assert_allclose(ours, theirs)


def test_decisions_at_a_threshold() -> None:
    """A score of the threshold is a recall."""
    weights = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 3, 1, 1, 2, 1, 0]], dtype=float)
    np.testing.assert_allclose(sensitivity_at(0.5)(LABELS, SCORES, weights), [2 / 3, 3 / 4])
    np.testing.assert_allclose(specificity_at(0.5)(LABELS, SCORES, weights), [2 / 4, 1 / 4])
    assert np.isnan(sensitivity_at(0.5)(LABELS, SCORES, np.array([[0, 0, 0, 1, 1, 1, 1.0]]))).all()


@pytest.mark.parametrize(
    ("least", "reached", "specificity"),
    [(0.3, 1 / 3, 1.0), (1 / 3, 1 / 3, 1.0), (0.34, 2 / 3, 0.5), (1, 1, 0.5), (0, 1 / 3, 1)],
)
def test_first_point_of_the_curve_with_a_sensitivity(least: float, reached: float, specificity: float) -> None:
    assert sensitivity_reached(least)(LABELS, SCORES, ONCE)[0] == pytest.approx(reached)
    assert specificity_at_sensitivity(least)(LABELS, SCORES, ONCE)[0] == pytest.approx(specificity)


def test_a_sensitivity_that_was_computed_is_reached() -> None:
    """38 of 61 is not missed by the last digit of its mean over readers."""
    labels, scores = np.repeat([1.0, 0.0], [61, 10]), np.concatenate([np.arange(61.0), np.zeros(10)])
    mean = float(np.mean([38 / 61] * 14))
    assert sensitivity_reached(mean)(labels, scores, np.ones((1, 71)))[0] == pytest.approx(38 / 61)


def test_without_positives_or_negatives_it_is_undefined() -> None:
    for labels in (np.zeros(7), np.ones(7)):
        assert np.isnan(specificity_at_sensitivity(0.5)(labels, SCORES, ONCE)).all()
