"""Logistic regression on one number, for many reweighted copies of the data at once: what calibration is fitted and judged by.

    P(y = 1) = 1 / (1 + exp(-(a + b x)))     a, b of the highest likelihood; either may be held at a given value

Newton's steps, halved until the likelihood grows: it is concave, so that they arrive wherever it has a highest point. Where a
cut on x separates the classes there is none, and the result is NaN.

Source   McCullagh and Nelder 1989, ch. 4; targets between 0 and 1 (Platt 1999) are quasi-binomial.
Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

Floats = NDArray[np.float64]

NEAREST = 1e-6
"""How near to 0 and 1 a probability is taken to be on the scale of log odds, which has neither."""
_STEPS, _HALVINGS = 60, 30
_TOLERANCE = 1e-9
_LARGEST = 1e3
"""A coefficient beyond this is on its way to infinity."""


def log_odds(probabilities: Floats) -> Floats:
    """log(p / (1 - p)), of p held in [NEAREST, 1 - NEAREST]."""
    return logit(np.clip(np.asarray(probabilities, np.float64), NEAREST, 1 - NEAREST))


def fit_line(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Intercept a and slope b (R,) for x and y (n,) in [0, 1] and weights (R, n); NaN where there are none."""
    found = _fitted(np.stack([np.ones_like(x), x]), np.zeros_like(x), y, weights, np.array([0.0, 1.0]))
    return found[:, 0], found[:, 1]


def fit_slope(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Slope b (R,) where the intercept is 0."""
    return _fitted(x[None], np.zeros_like(x), y, weights, np.ones(1))[:, 0]


def fit_intercept(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Intercept a (R,) where the slope is 1."""
    return _fitted(np.ones((1, x.size)), x, y, weights, np.zeros(1))[:, 0]


def _fitted(columns_Kn: Floats, offset_n: Floats, y_n: Floats, weights_Rn: Floats, start_K: Floats) -> Floats:
    """Coefficients (R, K) of the columns beside the offset."""
    R, K = len(weights_Rn), len(columns_Kn)
    if y_n.size == 0:
        return np.full((R, K), np.nan)
    if R > 1:  # replicates begin where all cases together arrive
        whole_K = _fitted(columns_Kn, offset_n, y_n, weights_Rn.mean(axis=0, keepdims=True), start_K)[0]
        start_K = whole_K if np.isfinite(whole_K).all() else start_K
    at_RK = np.tile(start_K, (R, 1))
    value_R = _likelihood(at_RK, columns_Kn, offset_n, y_n, weights_Rn)
    step_RK = np.full((R, K), np.inf)
    for _ in range(_STEPS):
        p_Rn = expit(at_RK @ columns_Kn + offset_n)
        slope_RK = (weights_Rn * (y_n - p_Rn)) @ columns_Kn.T
        curved_RKK = np.einsum("rn,kn,ln->rkl", weights_Rn * p_Rn * (1 - p_Rn), columns_Kn, columns_Kn, optimize=True)
        flat_R = ~(np.linalg.det(curved_RKK) > 1e-12 * _scale(curved_RKK))
        curved_RKK[flat_R] = np.eye(K)
        step_RK = np.linalg.solve(curved_RKK, slope_RK[..., None])[..., 0]
        step_RK[flat_R] = np.inf
        going = np.isfinite(step_RK).all(axis=1) & (np.abs(at_RK) < _LARGEST).all(axis=1)
        going &= np.abs(step_RK).max(axis=1) > _TOLERANCE
        if not going.any():
            break
        share_R = going.astype(np.float64)
        for _ in range(_HALVINGS):
            tried_RK = at_RK + share_R[:, None] * np.where(going[:, None], step_RK, 0)
            tried_R = _likelihood(tried_RK, columns_Kn, offset_n, y_n, weights_Rn)
            worse = going & ~(tried_R >= value_R - 1e-12 * np.abs(value_R))
            if not worse.any():
                break
            share_R[worse] /= 2
        at_RK, value_R = tried_RK, tried_R
    arrived = (np.abs(step_RK) <= 1e-6).all(axis=1) & (np.abs(at_RK) < _LARGEST).all(axis=1)
    return np.where(arrived[:, None], at_RK, np.nan)


def _scale(curved_RKK: Floats) -> Floats:
    """What a determinant is small or large against (R,)."""
    return np.maximum(np.prod(np.diagonal(curved_RKK, axis1=1, axis2=2), axis=1), 1e-100)


def _likelihood(at_RK: Floats, columns_Kn: Floats, offset_n: Floats, y_n: Floats, weights_Rn: Floats) -> Floats:
    line_Rn = at_RK @ columns_Kn + offset_n
    return np.einsum("rn,rn->r", weights_Rn, log_expit(line_Rn) - (1 - y_n) * line_Rn)  # log(1 - p) is log(p) - line
