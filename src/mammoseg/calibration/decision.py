"""Decision curves: whether it is worth recalling those whose probability is at least t, for those who would recall at t.

    net benefit   of the model  TP / n - FP / n * t / (1 - t)      of all  o - (1 - o) t / (1 - t)      of none  0

in cancers found for a case, less false alarms at their price: t is where a cancer is worth (1 - t) / t of them. It is asked of
probabilities; of scores that are none the question makes no sense.

Source   Vickers and Elkin 2006, eq. 1; Vickers et al. 2008 (bands by the bootstrap).
Shapes   n cases | T thresholds | R replicates
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 100
"""Thresholds of a curve."""


def thresholds(prevalence: float) -> Floats:
    """Where a curve is drawn (T,): up to five times the prevalence, as nobody waits much longer, but not beyond 0.99."""
    most = min(0.99, max(5 * prevalence, 0.01))
    return most * np.arange(1, STEPS + 1) / STEPS


def net_benefit(labels: Floats, probabilities: Floats, at_T: Floats, weights_Rn: Floats) -> Floats:
    """Of the model (R, T). NaN without a case."""
    price_T = at_T / (1 - at_T)
    order = np.argsort(probabilities, kind="stable")
    first_T = np.searchsorted(probabilities[order], at_T)
    gain = weights_Rn * labels, weights_Rn * (1 - labels)
    above = [np.cumsum(side[:, order][:, ::-1], axis=1)[:, ::-1] for side in gain]
    true_RT, false_RT = (np.pad(side, ((0, 0), (0, 1)))[:, first_T] for side in above)
    with np.errstate(invalid="ignore"):
        return (true_RT - false_RT * price_T) / weights_Rn.sum(axis=1, keepdims=True)


def net_benefit_of_all(labels: Floats, at_T: Floats, weights_Rn: Floats) -> Floats:
    """Of recalling everybody (R, T). NaN without a case."""
    with np.errstate(invalid="ignore"):
        share_R1 = (weights_Rn @ labels / weights_Rn.sum(axis=1))[:, None]
    return share_R1 - (1 - share_R1) * at_T / (1 - at_T)
