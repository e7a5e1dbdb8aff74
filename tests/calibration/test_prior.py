"""Probabilities for another share of positives: by the two sources, and by a population that is counted."""

import numpy as np
import pytest
from scipy.special import expit, logit

from mammoseg.calibration.prior import shifted, weighted_to


def test_is_the_intercept_of_king_and_zeng_and_the_theorem_of_elkan() -> None:
    p, fitted, target = np.linspace(0.01, 0.99, 50), 0.5, 0.006
    king_zeng = expit(logit(p) - np.log((1 - target) / target * fitted / (1 - fitted)))
    elkan = target * (p - p * fitted) / (fitted - p * fitted + target * p - fitted * target)
    assert shifted(p, fitted, target) == pytest.approx(king_zeng, abs=1e-12)
    assert shifted(p, fitted, target) == pytest.approx(elkan, abs=1e-12)


def test_counts_a_population() -> None:
    """100 of 1000 with a finding, 80 of them dark; 90 of 900 without dark: 80 / 170. With 1 % positive: 8 of 8 + 99."""
    assert shifted(np.array(80 / 170), 0.1, 0.01) == pytest.approx(8 / 107)


def test_keeps_what_is_certain_and_what_is_unknown() -> None:
    assert shifted(np.array([0.0, 1.0, np.nan]), 0.3, 0.01).tolist()[:2] == [0, 1]
    assert np.isnan(shifted(np.array([np.nan]), 0.3, 0.01)).all()
    assert shifted(np.array([0.2]), 0.3, 0.3) == pytest.approx([0.2])


@pytest.mark.filterwarnings("error")
def test_weights_give_every_row_the_share_and_keep_its_sum() -> None:
    labels, weights = np.array([1.0, 0, 0, 0]), np.array([[1.0, 1, 1, 1], [2, 1, 0, 1], [0, 2, 1, 1]])
    found = weighted_to(labels, weights, 0.01)
    assert found[0] == pytest.approx([0.04, 1.32, 1.32, 1.32])
    assert found[1] == pytest.approx([0.04, 1.98, 0, 1.98])
    assert np.isnan(found[2]).all()
    assert weighted_to(labels, weights, None) is weights
