"""Logistic regression on one number. What R says: glm(y ~ x, binomial, epsilon = 1e-14), x = qlogis(p), R 4.2."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from mammoseg.calibration.logistic import fit_intercept, fit_line, fit_slope, log_odds


def test_is_what_r_says(twenty: Any) -> None:
    x, one = log_odds(twenty.probabilities), np.ones((1, 20))
    a, b = fit_line(x, twenty.labels, one)
    assert (a[0], b[0]) == pytest.approx((0.0624832449322, 1.2817846274136), abs=1e-9)
    assert fit_slope(x, twenty.labels, one)[0] == pytest.approx(1.26825381707, abs=1e-9)
    assert fit_intercept(x, twenty.labels, one)[0] == pytest.approx(-0.00891027740716, abs=1e-9)


def test_a_weight_is_as_many_cases_and_targets_may_lie_between(many: Any) -> None:
    x, rng = log_odds(many.probabilities), np.random.default_rng(0)
    weights = rng.integers(0, 4, (3, x.size)).astype(float)
    targets = 0.1 + 0.8 * many.labels
    a, b = fit_line(x, targets, weights)
    for row, found in zip(weights, np.stack([a, b], axis=1), strict=True):
        model = sm.GLM(targets, sm.add_constant(x), sm.families.Binomial(), freq_weights=row)
        assert found == pytest.approx(model.fit(tol=1e-14).params, abs=1e-7)


@pytest.mark.filterwarnings("error")
def test_has_no_answer_where_a_cut_separates_the_classes() -> None:
    x, y = np.array([-3.0, -2, -1, 1, 2, 3]), np.array([0.0, 0, 0, 1, 1, 1])
    weights = np.array([[1.0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]])
    a, b = fit_line(x, y, weights)
    assert np.isnan([*a, *b]).all()
    assert np.isnan(fit_slope(x, y, weights)).all()
    assert np.isnan(fit_line(np.empty(0), np.empty(0), np.empty((2, 0)))[0]).all()


def test_one_row_does_not_disturb_another(many: Any) -> None:
    x = log_odds(many.probabilities)
    weights = np.stack([np.ones(1000), many.labels, np.ones(1000)])  # the second has positives alone
    a, b = fit_line(x, many.labels, weights)
    assert np.isnan(a[1])
    assert np.isnan(b[1])
    alone = fit_line(x, many.labels, np.ones((1, 1000)))
    assert (a[0], b[0], a[2], b[2]) == pytest.approx((alone[0][0], alone[1][0]) * 2, abs=1e-8)


def test_a_far_start_arrives() -> None:
    """Newton's whole steps overshoot here."""
    x = np.concatenate([np.full(500, -13.0), np.full(500, 13.0)])
    y = np.concatenate([np.zeros(499), [1], [0], np.ones(499)])
    a, b = fit_line(x, y, np.ones((1, 1000)))
    assert (a[0], b[0]) == pytest.approx((0, np.log(499) / 13), abs=1e-8)


def test_log_odds_hold_the_ends() -> None:
    assert log_odds(np.array([0.0, 0.5, 1.0])) == pytest.approx([-13.8155, 0, 13.8155], abs=1e-4)
