"""Fits against scikit-learn, statsmodels and R, and what they refuse."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV

from mammoseg.calibration.fits import fit, platt, temperature
from mammoseg.calibration.logistic import log_odds
from mammoseg.calibration.stored import CalibrationError

PATIENTS = np.repeat(np.arange(500), 2)


class Scores(ClassifierMixin, BaseEstimator):
    """A classifier that says what it is given."""

    classes_ = np.array([0, 1])

    def fit(self, X: Any, y: Any) -> "Scores":
        return self

    def predict(self, X: Any) -> Any:
        return (self.decision_function(X) > 0).astype(int)

    def decision_function(self, X: Any) -> Any:
        return np.asarray(X)[:, 0]


def of_sklearn(method: str, values: Any, labels: Any) -> Any:
    model = CalibratedClassifierCV(Scores(), method=method, ensemble=False).fit(values[:, None], labels)
    return model.predict_proba(values[:, None])[:, 1]


def test_platt_is_that_of_sklearn_and_of_statsmodels(twenty: Any, many: Any) -> None:
    """statsmodels 0.15: GLM(targets, [1, x], Binomial()).fit(tol=1e-14); targets 10/11 and 1/14 as 8 of 20 are positive."""
    assert platt(*twenty) == pytest.approx((-0.02655608, 0.87787218), abs=1e-7)
    found = fit("platt", *many, PATIENTS, None)
    expected = of_sklearn("sigmoid", log_odds(many.probabilities), many.labels)
    assert found(many.probabilities) == pytest.approx(expected, abs=1e-6)


def test_isotonic_is_that_of_sklearn(many: Any) -> None:
    found = fit("isotonic", *many, PATIENTS, None)
    assert found(many.probabilities) == pytest.approx(of_sklearn("isotonic", many.probabilities, many.labels), abs=1e-9)
    assert np.isnan(found(np.array([np.nan]))).all()


def test_temperature_has_the_highest_likelihood(twenty: Any) -> None:
    """R: glm(y ~ 0 + x, binomial)."""
    assert temperature(*twenty) == pytest.approx((0, 1.26825381707), abs=1e-9)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_undoes_what_made_the_scores_wrong(method: Any, many: Any) -> None:
    """Scores were made as 0.6 logit + 0.8 of the truth."""
    found = fit(method, *many, PATIENTS, None)
    right = 1 / (1 + np.exp(-(log_odds(many.probabilities) - 0.8) / 0.6))
    assert np.abs(found(many.probabilities) - right).mean() < 0.03 < np.abs(many.probabilities - right).mean()


def test_the_target_moves_the_whole(many: Any) -> None:
    here, there = fit("platt", *many, PATIENTS, None), fit("platt", *many, PATIENTS, 0.006)
    assert there.prevalence == many.labels.mean()
    odds = [fitted(many.probabilities) / (1 - fitted(many.probabilities)) for fitted in (there, here)]
    share = here.prevalence
    assert odds[0] / odds[1] == pytest.approx(0.006 / 0.994 * (1 - share) / share)


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0, float("nan")])
def test_refuses_a_prevalence_that_is_none(target: float, many: Any) -> None:
    with pytest.raises(CalibrationError, match="expected a share between 0 and 1"):
        fit("platt", *many, PATIENTS, target)


def test_refuses_few_patients_and_counts_patients_not_breasts(many: Any) -> None:
    few = np.concatenate([np.flatnonzero(many.labels == 1)[:38], np.flatnonzero(many.labels == 0)[:200]])
    labels, scores = many.labels[few], many.probabilities[few]
    owner = np.where(labels == 1, np.arange(few.size) // 2, 1000 + np.arange(few.size))  # two positive breasts of each
    with pytest.raises(
        CalibrationError, match="19 patients with a positive breast and 200 with a negative one; platt needs 20"
    ):
        fit("platt", labels, scores, owner, None)
    assert fit("platt", labels, scores, np.arange(few.size), None).patients_with == 38
    with pytest.raises(CalibrationError, match=r"isotonic needs 100 of each.*--method platt"):
        fit("isotonic", labels, scores, np.arange(few.size), None)


def test_refuses_scores_that_say_nothing_or_the_opposite(many: Any) -> None:
    with pytest.raises(CalibrationError, match="higher where the finding is not"):
        fit("platt", 1 - many.labels, many.probabilities, PATIENTS, None)
    with pytest.raises(CalibrationError, match="do not rise"):
        fit("isotonic", many.labels, np.full(1000, 0.3), PATIENTS, None)
    for method in ("platt", "temperature"):
        with pytest.raises(CalibrationError, match="the same score, or nearly so"):
            fit(method, many.labels, np.full(1000, 0.3), PATIENTS, None)


def test_perfect_scores_have_a_platt_curve_and_no_temperature(many: Any) -> None:
    scores = np.where(many.labels == 1, 0.9, 0.2)
    found = fit("platt", many.labels, scores, PATIENTS, None)(np.array([0.2, 0.9]))
    n, positives = 1000, many.labels.sum()
    assert found == pytest.approx([1 / (n - positives + 2), (positives + 1) / (positives + 2)])
    with pytest.raises(CalibrationError, match="separate the classes without an error"):
        fit("temperature", many.labels, scores, PATIENTS, None)
