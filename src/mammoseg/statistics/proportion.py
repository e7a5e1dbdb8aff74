"""Proportions with 95 % intervals: k of n, and the share of ones when several cases belong to one patient.

    wald              p +- z sqrt(p (1 - p) / n)             shown for comparison: too short for few cases and near 0 or 1
    wilson            p for which |k / n - p| = z sqrt(p (1 - p) / n)                                        the default
    clopper-pearson   p for which k or more, or k or fewer, have a chance of 2.5 %                 never too short, often long

Several cases of a patient: n and k are divided by the design effect, and then one of the above is used:

    p = sum k_i / sum n_i     V = I / (I - 1) * sum (k_i - p n_i)^2 / n^2     design effect = V (n - 1) / (p (1 - p))
    effective n = n / design effect * (t_{n-1} / t_{I-1})^2, never more than n

With one case for each patient that is n. Where all are ones or all zeros V says nothing: then n is the number of patients.

Source   Wilson 1927; Clopper and Pearson 1934; Brown, Cai and DasGupta 2001 compare. Rao and Scott 1992 (design effect);
         Korn and Graubard 1998 (effective n with t). The intervals of k of n are those of statsmodels.
Shapes   n cases | I patients, with n_i cases and k_i ones
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from mammoseg.statistics.clusters import Patients, patient_numbers

METHODS = ("wilson", "clopper-pearson", "wald")
_OF_STATSMODELS = {"wilson": "wilson", "clopper-pearson": "beta", "wald": "normal"}


@dataclass(frozen=True)
class Proportion:
    """k of n cases with a 95 % interval; NaN where there is none, and the reason why."""

    value: float
    low: float
    high: float
    k: int
    n: int
    method: str
    """One of METHODS, with "by patient" where patients were given; "bootstrap by patient" in operating points."""
    reason: str | None = None


def proportion(k: int, n: int, method: str = "wilson") -> Proportion:
    """k of n independent cases. ValueError for another method, and unless 0 <= k <= n."""
    if not 0 <= k <= n:
        raise ValueError(f"proportion: {k} of {n}; expected 0 <= k <= n. Count the cases again.")
    if n == 0:
        return _none(0, 0, known(method), "no case")
    return Proportion(k / n, *_limits(k, n, method), k, n, method)


def clustered_proportion(ones: ArrayLike, patients: Patients, method: str = "wilson") -> Proportion:
    """Share of ones among the cases (n,) of 0 and 1. ValueError for other values, methods and shapes."""
    values = np.asarray(ones, dtype=np.float64)
    number, count = patient_numbers(patients, values.size)
    if wrong := int(np.count_nonzero((values != 0) & (values != 1))):
        raise ValueError(
            f"proportion: {wrong} of {values.size} values are neither 0 nor 1. What is unknown is no 0: leave it out and count it."
        )
    by_patient, k, n = f"{known(method)} by patient", int(values.sum()), values.size
    if n == 0:
        return _none(0, 0, by_patient, "no case")
    if count < 2:
        return _none(k, n, by_patient, "fewer than two patients")
    effective = _effective(np.bincount(number, values), np.bincount(number), k, n)
    return Proportion(k / n, *_limits(k / n * effective, effective, method), k, n, by_patient)


def known(method: str) -> str:
    """The name of a method; ValueError if there is none of this name."""
    if method not in METHODS:
        raise ValueError(f"proportion: method {method!r}; expected one of {', '.join(METHODS)}. Name one of these.")
    return method


def _effective(ones: np.ndarray, cases: np.ndarray, k: int, n: int) -> float:
    patients = cases.size
    if k in (0, n):
        return float(patients)
    share = k / n
    variance = patients / (patients - 1) * np.sum((ones - share * cases) ** 2) / n**2
    if variance == 0:
        return float(n)
    wider = student.ppf(0.975, n - 1) / student.ppf(0.975, patients - 1)
    return float(min(n, n * share * (1 - share) / (n - 1) / variance * wider**2))


def _limits(k: float, n: float, method: str) -> tuple[float, float]:
    low, high = proportion_confint(k, n, alpha=0.05, method=_OF_STATSMODELS[known(method)])
    return (0.0 if k == 0 else float(max(low, 0))), (1.0 if k == n else float(min(high, 1)))


def _none(k: int, n: int, method: str, reason: str) -> Proportion:
    return Proportion(k / n if n else float("nan"), float("nan"), float("nan"), k, n, method, reason)
