"""From scores and labels to a `Fit`: Platt scaling, temperature scaling, isotonic regression.

    platt         p = 1 / (1 + exp(-(a + b logit s)))     two numbers; labels drawn in to (N+ + 1) / (N+ + 2) and 1 / (N- + 2)
    temperature   p = 1 / (1 + exp(-logit(s) / T))        one number; keeps 0.5 where it is
    isotonic      the rising steps nearest to the labels, straight between their middles

Source   Platt 1999 (and his targets; on log odds, since scores are probabilities: Cox 1958, Van Calster et al. 2016);
         Guo et al. 2017, Sec. 4.1 (temperature); Zadrozny and Elkan 2002 (isotonic). Niculescu-Mizil and Caruana 2005: isotonic
         overfits on few cases, from about 1000 on it is the better one.
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.calibration.logistic import fit_line, fit_slope, log_odds
from mammoseg.calibration.stored import CalibrationError, Fit, Method, Points
from mammoseg.statistics.clusters import Patients

Floats = NDArray[np.float64]

FEWEST = {"platt": 20, "temperature": 20, "isotonic": 100}
"""Patients with a positive breast, and patients with a negative one, that a fit needs. Ours: 20 events for a line (below 10 per
coefficient it is known to be unstable, Peduzzi et al. 1996); isotonic takes a step for every few."""

_LEAST_RANGE = 1e-3
"""Of log odds: a smaller one is the last digits of a model that says the same of all."""


def fit(method: Method, labels: Floats, scores: Floats, patients: Patients, target_prevalence: float | None) -> Fit:
    """Fit to breasts (n,) with labels 0 or 1 and scores in [0, 1]. Raises CalibrationError for too few patients, for scores
    that separate the classes or rank them the wrong way, and for a target that is no share."""
    if target_prevalence is not None and not 0 < target_prevalence < 1:
        raise CalibrationError(
            f"prevalence {target_prevalence}: expected a share between 0 and 1, such as 0.006 for 0.6 %."
        )
    with_one, without = (len(set(np.asarray(patients)[labels == side].tolist())) for side in (1, 0))
    fewest = FEWEST[method]
    if min(with_one, without) < fewest:
        raise CalibrationError(
            f"{with_one} patients with a positive breast and {without} with a negative one; {method} needs {fewest} of each. "
            "Take more patients"
            + (", or --method platt." if method == "isotonic" else "; with fewer the curve is chance.")
        )
    slope = intercept = points = None
    if method == "isotonic":
        points = _isotonic(labels, scores)
        if len(points.y) < 2 or points.y[0] == points.y[-1]:
            raise _useless("do not rise with the labels at all")
    else:
        if np.ptp(log_odds(scores)) < _LEAST_RANGE:
            raise CalibrationError(
                "all breasts have the same score, or nearly so: there is nothing to calibrate. Expected scores that differ. Check "
                "the model and its images."
            )
        intercept, slope = (platt if method == "platt" else temperature)(labels, scores)
        if not np.isfinite(slope):
            raise CalibrationError(
                f"the scores separate the classes without an error, or nearly so, and {method} has no answer to that. Expected "
                f"cases of both classes among the same scores. Take {'' if method == 'platt' else 'platt, or '}more patients."
            )
        if slope <= 0:
            raise _useless("are higher where the finding is not")
    return Fit(
        method=method,
        slope=slope,
        intercept=intercept,
        points=points,
        breasts=labels.size,
        positives=int(labels.sum()),
        patients_with=with_one,
        patients_without=without,
        target_prevalence=target_prevalence,
    )


def platt(labels: Floats, scores: Floats) -> tuple[float, float]:
    """Intercept a and slope b."""
    positives = labels.sum()
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (labels.size - positives + 2))
    a, b = fit_line(log_odds(scores), targets, np.ones((1, labels.size)))
    return float(a[0]), float(b[0])


def temperature(labels: Floats, scores: Floats) -> tuple[float, float]:
    """0 and 1 / T."""
    return 0.0, float(fit_slope(log_odds(scores), labels, np.ones((1, labels.size)))[0])


def _isotonic(labels: Floats, scores: Floats) -> Points:
    from sklearn.isotonic import IsotonicRegression  # takes a second to load, and predicting does not need it

    steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels)
    return Points(x=tuple(steps.X_thresholds_.tolist()), y=tuple(np.clip(steps.y_thresholds_, 0, 1).tolist()))


def _useless(what: str) -> CalibrationError:
    return CalibrationError(
        f"the scores {what}: probabilities from them would say the opposite of the model. Expected a model that is better than "
        "chance on these cases. Check labels and classes, and evaluate first."
    )
