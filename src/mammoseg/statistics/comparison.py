"""Two scores of the same cases, compared: is the first better than the second, and by how much.

    delong        difference of AUCs; SE from the covariance of both (delong.py)
    bootstrap     difference of any metric of scores; SE is the SD of the difference over draws of the patients
    permutation   p alone: how often a difference as large comes up when, for each patient by a coin, the two scores are
                  exchanged. Exact under the hypothesis that the scores are exchangeable, which says more than equal AUCs

All are paired: difference +- 1.96 SE, and p from the same normal distribution. The SD of u draws of u patients (of the smaller
class) is taken times sqrt(u / (u - 1)). A t for few patients, as in intervals of one AUC, would make too few false alarms:
benchmarks/false_alarms.py. The permutation exchanges ranks of each score among all cases: two models seldom have the same
units, and a metric of ranking is the same for ranks. Exchanging raw scores of different units would compare the units.

Non-inferiority: the first is worse by less than a margin that was set before. Shown when the low end of the 95 % interval is
above -margin (one-sided 2.5 %). Several comparisons at once: Holm's p values keep the chance of any false alarm.

Source   DeLong et al. 1988 and Obuchowski 1997; Hesterberg 2015 (bootstrap); Venkatraman and Begg 1996 and Bandos, Rockette and
         Gur 2005 (permutation); Phipson and Smyth 2010 (its p is never 0); Holm 1979.
Shapes   n cases | R replicates
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from mammoseg.statistics.bootstrap import MIN_DEFINED, MIN_SHARE, Measure, affordable, patient_weights
from mammoseg.statistics.clusters import Floats, Patients, patient_numbers
from mammoseg.statistics.delong import delong
from mammoseg.statistics.ranking import checked

_BLOCK_VALUES = 500_000


@dataclass(frozen=True)
class Comparison:
    """First minus second, with a 95 % interval and a two-sided p; NaN where there is none, and the reason why."""

    difference: float
    low: float
    high: float
    p: float
    method: str
    standard_error: float
    degrees: int | None = None
    """Degrees of freedom of t; None: normal."""
    reason: str | None = None


@dataclass(frozen=True)
class NonInferiority:
    """Whether the first is worse by less than `margin`."""

    margin: float
    low: float
    """Low end of the 95 % interval of the difference."""
    p: float
    """One-sided."""
    shown: bool
    reason: str | None = None


def by_delong(labels: ArrayLike, first: ArrayLike, second: ArrayLike, patients: Patients | None = None) -> Comparison:
    """Difference of two AUCs; scores (n,), labels (n,) of 0 and 1. Without `patients` every case is one."""
    truth, table = checked(labels, _pair(first, second))
    areas = delong(truth, table, patients)
    of = np.array([1.0, -1.0])
    difference, variance = float(of @ areas.auc), float(of @ areas.covariance @ of)
    method = "DeLong" if patients is None else "DeLong by patient"
    return compared(difference, float(np.sqrt(max(variance, 0))), None, method, areas.reason)


def by_bootstrap(
    measure: Measure,
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    patients: Patients,
    replicates: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Difference of any metric of scores (`measure` of a metric of the kind "scores")."""
    truth, table = checked(labels, _pair(first, second))

    def difference(weights: NDArray[np.float64]) -> Floats:
        return measure(truth, table[0], weights) - measure(truth, table[1], weights)

    blocks = patient_weights(patients, affordable(replicates, truth.size), seed)
    drawn = np.concatenate([difference(weights) for weights in blocks] or [np.empty(0)])
    defined = drawn[~np.isnan(drawn)]
    value = float(difference(np.ones((1, truth.size)))[0])
    enough = defined.size >= max(MIN_DEFINED, MIN_SHARE * drawn.size)
    spread = float(defined.std(ddof=1)) if enough else float("nan")
    reason = None if enough else f"{defined.size} of {drawn.size} replicates are defined"
    units = smaller_class(truth, patients)
    error = spread * np.sqrt(units / (units - 1)) if units > 1 else float("nan")
    if reason is None and units < 2:
        reason = "fewer than two patients in a class"
    return compared(value, float(error), None, "bootstrap by patient", reason)


def by_permutation(
    measure: Measure,
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    patients: Patients,
    replicates: int = 2000,
    seed: int = 0,
) -> Comparison:
    """p of the difference of a metric of ranking, under exchange of the two scores' ranks within patients; no interval."""
    truth, table = checked(labels, _pair(first, second))
    number, count = patient_numbers(patients, truth.size)
    ranks = rankdata(table, axis=1).ravel()
    both, rng = np.tile(truth, 2), np.random.default_rng(seed)
    order = np.argsort(ranks, kind="stable")

    def difference(kept: NDArray[np.bool_]) -> Floats:
        """Cases (r, n) that are not exchanged -> (r,): each score is a choice of n among the 2 n ranks."""
        chosen = np.concatenate([kept, ~kept], axis=1)[:, order]
        values = [measure(both[order], ranks[order], each.astype(np.float64)) for each in (chosen, ~chosen)]
        return values[0] - values[1]

    value = float(difference(np.ones((1, truth.size), bool))[0]) if truth.size else float("nan")
    method, nan = "permutation by patient", float("nan")
    if np.isnan(value):
        return Comparison(value, nan, nan, nan, method, nan, reason="the metric is undefined")
    extreme, rows = 0, max(1, _BLOCK_VALUES // truth.size)
    for start in range(0, replicates, rows):
        kept = rng.random((min(rows, replicates - start), count)) < 0.5
        extreme += int(np.count_nonzero(np.abs(difference(kept[:, number])) >= abs(value) - 1e-12))
    return Comparison(value, nan, nan, (extreme + 1) / (replicates + 1), method, nan)


def compared(
    difference: float, standard_error: float, degrees: int | None, method: str, reason: str | None = None
) -> Comparison:
    """The interval and p of a difference with its standard error: t with `degrees` of freedom, normal for None."""
    nan = float("nan")
    if reason is None and np.isnan(difference):
        reason = "the metric is undefined"
    if reason is None and degrees is not None and degrees < 1:
        reason = "fewer than two patients"
    if reason is None and not standard_error > 0:
        reason = "the difference is the same in every draw: these patients do not tell how far it may be off"
    if reason is not None:
        return Comparison(difference, nan, nan, nan, method, standard_error, degrees, reason)
    freedom = np.inf if degrees is None else degrees
    half = float(student.ppf(0.975, freedom)) * standard_error
    p = 2 * float(student.sf(abs(difference) / standard_error, freedom))
    return Comparison(difference, difference - half, difference + half, p, method, standard_error, degrees)


def non_inferiority(comparison: Comparison, margin: float) -> NonInferiority:
    """Of a comparison with an interval, in which more is better. ValueError unless the margin is above 0."""
    if not margin > 0:
        raise ValueError(f"non-inferiority: margin {margin}, expected a number above 0: the loss that would be borne.")
    if np.isnan(comparison.low):
        reason = comparison.reason or f"the method {comparison.method!r} gives no interval"
        return NonInferiority(margin, float("nan"), float("nan"), False, reason)
    middle = (comparison.low + comparison.high) / 2
    freedom = np.inf if comparison.degrees is None else comparison.degrees
    p = float(student.sf((middle + margin) / comparison.standard_error, freedom))
    return NonInferiority(margin, comparison.low, p, comparison.low > -margin)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values of several comparisons, adjusted; NaN stays NaN and is not counted as a comparison."""
    given = np.asarray(p_values, dtype=np.float64)
    there = ~np.isnan(given)
    adjusted = given.copy()
    if there.any():
        adjusted[there] = multipletests(given[there], method="holm")[1]
    return [float(p) for p in adjusted]


def _pair(first: ArrayLike, second: ArrayLike) -> Floats:
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(
            f"comparison: scores of {one.shape} and {other.shape}; expected two scores of the same cases. Keep the cases "
            f"that both have."
        )
    return np.stack([one, other])


def smaller_class(truth: Floats, patients: Patients) -> int:
    """Patients in the class that has fewer."""
    number = patient_numbers(patients, truth.size)[0]
    return min(np.unique(number[truth == side]).size for side in (0, 1))
