"""How wide an interval is, and on which scale: for normal statistics of few patients.

    q       = t of u - 1 degrees of freedom, 97.5 %, times sqrt(u / (u - 1)), for u patients that decide; near 1.96 for many
    logit     logit(v) +- q SE / (v (1 - v)), and back: for what lies in (0, 1); stays there and leans to the middle

Source   t and the factor: Hesterberg 2015, The American Statistician 69:371, sec. 4 and 5 (a bootstrap of u draws of u has a
         variance that is too small by (u - 1) / u). Logit: delta method; Pepe 2003, eq. 5.5, for the AUC.
"""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def quantile(units: int) -> float:
    """q for `units` patients, two at least."""
    return float(student.ppf(0.975, units - 1) * np.sqrt(units / (units - 1)))


def logit_interval(value: float, standard_error: float, q: float = Z95) -> tuple[float, float]:
    """Low and high; twice NaN at 0 and 1 and without a standard error: what did not vary is not certain for that."""
    if not (0 < value < 1 and standard_error > 0):
        return float("nan"), float("nan")
    middle, half = logit(value), q * standard_error / (value * (1 - value))
    return float(expit(middle - half)), float(expit(middle + half))
