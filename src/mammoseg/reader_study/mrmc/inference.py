"""What an analysis says: an estimate with its interval, and a test.

Level of confidence: 95 % throughout. An infinite number of degrees of freedom is the normal and the chi-square distribution.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its two-sided 95 % interval, and the test that it is 0 (or the value given to `estimate`)."""

    value: float
    low: float
    high: float
    se: float
    df: float
    """Degrees of freedom of t; infinite: normal."""
    statistic: float
    p: float


@dataclass(frozen=True)
class Significance:
    """A test of several modalities at once."""

    statistic: float
    """F; with infinite `df2` chi-square / df1 is F, and `statistic` is chi-square."""
    df1: float
    df2: float
    p: float


def estimate(value: float, variance: float, df: float, null: float = 0.0) -> Estimate:
    """Interval value +- t(0.975; df) sqrt(variance), test of value = null. A variance of 0 gives no test: NaN."""
    se = float(np.sqrt(max(variance, 0.0)))  # a sum of estimates may fall below 0
    half = float(stats.t.ppf(0.5 + LEVEL / 2, df)) * se if se > 0 else 0.0
    if se > 0:
        statistic = (value - null) / se
        p = float(2 * stats.t.sf(abs(statistic), df))
    else:
        statistic, p = float("nan"), float("nan")
    return Estimate(value, value - half, value + half, se, df, statistic, p)


def f_test(numerator: float, denominator: float, df1: float, df2: float) -> Significance:
    """F = numerator / denominator; with infinite `df2` chi-square = df1 F. NaN where the denominator is 0."""
    if not denominator > 0:
        return Significance(float("nan"), df1, df2, float("nan"))
    f = numerator / denominator
    if np.isinf(df2):
        return Significance(df1 * f, df1, df2, float(stats.chi2.sf(df1 * f, df1)))
    return Significance(f, df1, df2, float(stats.f.sf(f, df1, df2)))
