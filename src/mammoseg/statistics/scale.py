"""Intervals from a standard error, on the scale on which an estimate is nearly normal.

    identity   v +- z SE
    logit      logit(v) +- z SE / (v (1 - v)), and back      for what lies in (0, 1): stays there, and leans to the middle
    log        log(v) +- z SE / v, and back                  for ratios

Source   Delta method; for the AUC on the logit scale Pepe 2003, eq. 5.5; Qin and Hotilovac 2008 compare.
Deviates At a limit of the scale (v = 0 or 1, SE = 0) there is no interval: a value that did not vary is not a certain one.
"""

import numpy as np
from scipy.special import expit, logit

SCALES = ("identity", "logit", "log")
Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


def scaled_interval(
    value: float, standard_error: float, scale: str = "identity", z: float = Z95
) -> tuple[float, float]:
    """Low and high; twice NaN where there is none. ValueError for another scale."""
    if scale not in SCALES:
        raise ValueError(
            f"interval: scale {scale!r}; expected one of {', '.join(SCALES)}. Correct SCALE of the metric."
        )
    inside = {"identity": np.isfinite(value), "logit": 0 < value < 1, "log": value > 0}[scale]
    if not (inside and standard_error > 0):
        return float("nan"), float("nan")
    step = z * standard_error
    if scale == "identity":
        return value - step, value + step
    if scale == "log":
        return float(value * np.exp(-step / value)), float(value * np.exp(step / value))
    middle, half = logit(value), step / (value * (1 - value))
    return float(expit(middle - half)), float(expit(middle + half))
