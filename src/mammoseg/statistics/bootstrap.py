"""Confidence intervals by resampling patients: images of one patient are not independent of each other.

A replicate draws as many patients as there are, with replacement; every case counts as often as its patient was drawn. The
95 % interval has one of two scales; q is about 2, and larger for few patients (scale.py):

    percentile   from the percentile Phi(-q) to the percentile Phi(q) of the replicates                             the usual
    logit        logit(v) +- q SD / (v (1 - v)), and back; SD is that of the replicates           where a metric says so (AUC)

The number of patients that decides is the number of all, and for scores that of the class without which the metric is
undefined: 15 positives among 10,000 are 15.

A replicate in which the statistic is undefined (no positive drawn) is dropped and counted. No interval is given, and the
reason instead, where one would claim a certainty that is not there: with one patient alone, where all replicates are the
same (an AUC of 1), with fewer than MIN_DEFINED defined replicates, and when fewer than MIN_SHARE of them are defined: what is
left then leaves out the very draws that show how little the data say. A single patient with a positive is in 63 % of the draws.

At most BUDGET weights are drawn (replicates times cases), though never fewer than LEAST replicates: with a million cases
the interval is short, and LEAST of them tell its length to a tenth.

Source   Efron and Tibshirani 1993, ch. 13; Field and Welsh 2007 (clusters); Hesterberg 2015 (percentiles for few). Which
         scale covers: docs/reference/statistics.md, benchmarks/coverage.py.
Shapes   n cases | R replicates
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mammoseg.statistics.clusters import Patients, patient_numbers
from mammoseg.statistics.scale import logit_interval, quantile

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Weights (R, n) of the cases -> one value for each replicate (R,), NaN where undefined."""
Measure = Callable[[Floats, Floats, Floats], Floats]
"""Labels (n,), scores (n,), weights (R, n) -> (R,): `measure` of a metric of scores."""

SCALES = ("percentile", "logit")

MIN_DEFINED = 40
"""Defined replicates an interval needs at least: so many that each tail of 2.5 % holds one."""
MIN_SHARE = 0.8
"""Share of the replicates that must be defined."""
BUDGET = 200_000_000
"""Weights that are drawn at most for an interval."""
LEAST = 200
"""Replicates that are drawn at least, if so many are asked for."""

_BLOCK_VALUES = 500_000  # weights in memory at a time: they fit into the cache of a processor
_BLOCK_ROWS = 4  # at least: what a metric does once for a block is shared by so many replicates


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

    @property
    def as_numbers(self) -> dict[str, Any]:
        """What results say of it: low, high, replicates_dropped, no_interval."""
        return {
            "low": self.low,
            "high": self.high,
            "replicates_dropped": self.dropped,
            "no_interval": self.reason,
        }


def interval(
    statistic: Statistic,
    patients: Patients,
    replicates: int,
    seed: int,
    scale: str = "percentile",
    units: int | None = None,
) -> Interval:
    """Interval of `statistic` over `replicates` draws of the patients to whom the n cases belong.

    The same seed, patients and number of replicates give the same draws, whatever the statistic is. `scale` is one of SCALES;
    `units` is the number of patients that decides, if that is not all of them.
    """
    count = patient_numbers(patients, len(patients))[1]
    asked = affordable(replicates, len(patients))
    drawn = [statistic(weights) for weights in patient_weights(patients, asked if count > 1 else 0, seed)]
    value = float(statistic(np.ones((1, len(patients))))[0]) if drawn and scale == "logit" else np.nan
    values = np.concatenate(drawn) if drawn else np.empty(0)
    return interval_from(values, count if units is None else units, scale, value, asked > 0)


def interval_of_scores(
    measure: Measure,
    labels: Floats,
    scores: Floats,
    patients: Patients,
    replicates: int,
    seed: int,
    scale: str = "percentile",
) -> Interval:
    """`interval` of a metric of scores: n cases with labels of 0 and 1."""
    return intervals_of_scores({"": (measure, scale)}, labels, scores, patients, replicates, seed)[""]


def intervals_of_scores(
    measures: Mapping[str, tuple[Measure, str]],
    labels: Floats,
    scores: Floats,
    patients: Patients,
    replicates: int,
    seed: int,
) -> dict[str, Interval]:
    """`interval` of several metrics, each with its scale, by their names.

    The patients are drawn once for all of them, and the cases are sorted by score once, so that metrics find them in order in
    each of many replicates.
    """
    order = np.argsort(scores, kind="stable")
    number, count = patient_numbers(patients, labels.size)
    truth, values, who = labels[order], scores[order], number[order]
    asked = affordable(replicates, labels.size)
    drawn: dict[str, list[Floats]] = {name: [] for name in measures}
    for weights in patient_weights(who, asked if count > 1 else 0, seed):
        for name, (measure, _) in measures.items():
            drawn[name].append(measure(truth, values, weights))
    found = {}
    for name, (measure, scale) in measures.items():
        units = count
        for side in (truth == 1, truth == 0):
            if np.isnan(measure(truth, values, (~side)[None].astype(np.float64))[0]):
                units = min(units, np.unique(who[side]).size)
        value = float(measure(truth, values, np.ones((1, truth.size)))[0]) if drawn[name] else np.nan
        replicated = np.concatenate(drawn[name]) if drawn[name] else np.empty(0)
        found[name] = interval_from(replicated, units, scale, value, asked > 0)
    return found


def interval_from(
    drawn: Floats, units: int, scale: str = "percentile", value: float = np.nan, asked: bool = True
) -> Interval:
    """Interval from the replicates (R,) themselves; `value` is the estimate, which the scale "logit" needs.

    ValueError for another scale.
    """
    if scale not in SCALES:
        raise ValueError(
            f"bootstrap: scale {scale!r}; expected one of {', '.join(SCALES)}. Correct SCALE of the metric."
        )
    defined = drawn[~np.isnan(drawn)]
    low = high = float("nan")
    reason = None
    if units < 2 and not (drawn.size and defined.size < MIN_SHARE * drawn.size):
        reason = "fewer than two patients"
    elif defined.size < max(MIN_DEFINED, MIN_SHARE * drawn.size):
        reason = f"{defined.size} of {drawn.size} replicates are defined; needed: {MIN_SHARE:.0%}, and {MIN_DEFINED}"
    elif np.ptp(defined) <= 1e-12 * abs(defined[0]):
        reason = "the value is the same in every replicate: these patients do not tell how far it may be off"
    elif scale == "logit":
        low, high = logit_interval(value, float(defined.std(ddof=1)), quantile(units))
        reason = f"the value is {value:g}: at the end of its scale" if np.isnan(low) else None
    else:
        tail = 100 * ndtr(-quantile(units))
        low, high = map(float, np.percentile(defined, [tail, 100 - tail]))
    return Interval(low, high, drawn.size, drawn.size - defined.size, reason if asked else None)


def affordable(replicates: int, n: int) -> int:
    """How many of the replicates asked for are drawn for n cases. ValueError for a negative number."""
    if replicates < 0:
        raise ValueError(f"bootstrap: {replicates} replicates, expected 0 (no intervals) or more; 1000 is usual")
    return min(replicates, max(LEAST, BUDGET // max(1, n)))


def patient_weights(patients: Patients, replicates: int, seed: int) -> Iterator[Floats]:
    """How often each of the n cases counts in each replicate, as blocks (r, n) with `replicates` rows in all."""
    rng = np.random.default_rng(seed)
    patient_of_case, count = patient_numbers(patients, len(patients))
    rows = max(_BLOCK_ROWS, _BLOCK_VALUES // max(1, len(patients)))
    for start in range(0, replicates, rows):
        r = min(rows, replicates - start)
        drawn = rng.integers(count, size=(r, count)) + count * np.arange(r)[:, None]
        times = np.bincount(drawn.ravel(), minlength=r * count).reshape(r, count)
        yield times.astype(np.uint16)[:, patient_of_case].astype(np.float64)  # small numbers are found faster


def mean_interval(values: Floats, patients: Patients, replicates: int, seed: int) -> Interval:
    """Interval of the mean of `values` (n,), none of which is NaN."""

    def mean(weights: Floats) -> Floats:
        return weights @ values / weights.sum(axis=1)  # never 0 / 0: every patient drawn has a case

    return interval(mean, patients, replicates, seed)
