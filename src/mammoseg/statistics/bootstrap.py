"""Confidence intervals by resampling patients: images of one patient are not independent of each other.

A replicate draws as many patients as there are, with replacement; every case counts as often as its patient was drawn.
The 95 % interval runs from the 2.5th to the 97.5th percentile of the replicates (Efron and Tibshirani 1993, ch. 13).
A replicate in which the statistic is undefined (no positive drawn) is dropped and counted. No interval is given, and the
reason instead, where one would claim a certainty that is not there: with one patient alone (every replicate would be the
same), with fewer than MIN_DEFINED defined replicates, and when fewer than MIN_SHARE of them are defined: what is left then
leaves out the very draws that show how little the data say. A single patient with a positive is in 63 % of the draws.

Shapes   n cases | R replicates
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammoseg.statistics.clusters import Patients, patient_numbers

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Weights (R, n) of the cases -> one value for each replicate (R,), NaN where undefined."""

MIN_DEFINED = 40
"""Defined replicates an interval needs at least: so many that each tail of 2.5 % holds one."""
MIN_SHARE = 0.8
"""Share of the replicates that must be defined."""

_BLOCK_VALUES = 2_000_000  # weights in memory at a time


@dataclass(frozen=True)
class Interval:
    """Two-sided 95 % interval; NaN where none can be given."""

    low: float
    high: float
    replicates: int
    """How many were drawn; 0 with fewer than two patients."""
    dropped: int
    """How many of them were undefined."""
    reason: str | None
    """Why there is no interval though one was asked for, or None."""


def interval(statistic: Statistic, patients: Patients, replicates: int, seed: int) -> Interval:
    """Percentile interval of `statistic` over `replicates` draws of the patients to whom the n cases belong.

    The same seed, patients and number of replicates give the same draws, whatever the statistic is.
    """
    if replicates < 0:
        raise ValueError(f"bootstrap: {replicates} replicates, expected 0 (no intervals) or more; 1000 is usual")
    asked, alone = replicates > 0, patient_numbers(patients, len(patients))[1] < 2
    if alone:
        replicates = 0
    values = [statistic(weights) for weights in patient_weights(patients, replicates, seed)]
    drawn = np.concatenate(values) if values else np.empty(0)
    defined = drawn[~np.isnan(drawn)]
    enough = defined.size >= max(MIN_DEFINED, MIN_SHARE * drawn.size)
    low, high = np.percentile(defined, [2.5, 97.5]) if enough else (np.nan, np.nan)
    reason = None
    if asked and not enough:
        found = f"{defined.size} of {drawn.size} replicates are defined; needed: {MIN_SHARE:.0%}, and {MIN_DEFINED}"
        reason = "fewer than two patients" if alone else found
    return Interval(float(low), float(high), replicates, drawn.size - defined.size, reason)


def patient_weights(patients: Patients, replicates: int, seed: int) -> Iterator[Floats]:
    """How often each of the n cases counts in each replicate, as blocks (r, n) with `replicates` rows in all."""
    rng = np.random.default_rng(seed)
    patient_of_case, count = patient_numbers(patients, len(patients))
    rows = max(1, _BLOCK_VALUES // max(1, len(patients)))
    for start in range(0, replicates, rows):
        r = min(rows, replicates - start)
        drawn = rng.integers(count, size=(r, count)) + count * np.arange(r)[:, None]
        times = np.bincount(drawn.ravel(), minlength=r * count).reshape(r, count)
        yield times[:, patient_of_case].astype(np.float64)


def mean_interval(values: Floats, patients: Patients, replicates: int, seed: int) -> Interval:
    """Interval of the mean of `values` (n,), none of which is NaN."""

    def mean(weights: Floats) -> Floats:
        return weights @ values / weights.sum(axis=1)  # never 0 / 0: every patient drawn has a case

    return interval(mean, patients, replicates, seed)
