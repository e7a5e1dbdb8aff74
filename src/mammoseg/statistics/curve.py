"""ROC and precision-recall curves, means of several readers' curves, and pointwise 95 % bands.

    ROC   false positive rate -> sensitivity, straight between the points of the distinct scores, from (0, 0) to (1, 1)
    PR    recall -> precision, steps: at a recall r the precision of the highest threshold that reaches r, so that the area is
          the average precision

A mean of curves is taken upwards: the mean sensitivity (precision) at each false positive rate (recall) of a grid. A band
holds at each place of the grid for itself, not for the curve as a whole: percentiles over draws of the patients.

Source   Fawcett 2006 (points, vertical averaging); Davis and Goadrich 2006 (no straight lines between points of PR curves).
Shapes   n cases | M scores | G places of the grid | R replicates | D distinct scores
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.statistics.bootstrap import MIN_DEFINED, MIN_SHARE, patient_weights
from mammoseg.statistics.clusters import Floats, Patients
from mammoseg.statistics.ranking import checked, weights_by_score

GRID = np.linspace(0, 1, 101)
"""Places at which curves are averaged and banded, unless others are given."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Points from the highest threshold to the lowest, all (P,)."""

    x: Floats
    """False positive rate, or recall; ascending."""
    y: Floats
    """Sensitivity, or precision."""
    threshold: Floats
    """Cases at or above it are called; the first is just above the highest score."""


@dataclass(frozen=True, eq=False)
class Band:
    """A curve at the places of a grid, all (G,), with a pointwise 95 % band; NaN where there is none."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


def roc(labels: ArrayLike, scores: ArrayLike) -> Curve:
    """Points of the ROC curve of cases (n,), as many as distinct scores and (0, 0); y or x is NaN when a class is missing."""
    positives, negatives, thresholds = _counted(labels, scores)
    with np.errstate(invalid="ignore"):
        return Curve(negatives / negatives[-1], positives / positives[-1], thresholds)


def precision_recall(labels: ArrayLike, scores: ArrayLike) -> Curve:
    """Points of the precision-recall curve, one for each distinct score; x is NaN without a positive."""
    positives, negatives, thresholds = (values[1:] for values in _counted(labels, scores))
    with np.errstate(invalid="ignore"):
        return Curve(positives / positives[-1:], positives / (positives + negatives), thresholds)


def roc_band(
    labels: ArrayLike, scores: ArrayLike, patients: Patients, replicates: int = 1000, seed: int = 0, grid: Floats = GRID
) -> Band:
    """The ROC curve of scores (n,), or the mean curve of M readers' scores (M, n), with its band."""
    return _band(_sensitivities, labels, scores, patients, replicates, seed, grid)


def precision_recall_band(
    labels: ArrayLike, scores: ArrayLike, patients: Patients, replicates: int = 1000, seed: int = 0, grid: Floats = GRID
) -> Band:
    """The precision-recall curve of scores (n,), or the mean curve of M readers' scores (M, n), with its band."""
    return _band(_precisions, labels, scores, patients, replicates, seed, grid)


def _counted(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Positives and negatives at each threshold or above, from none to all, and the thresholds, (D + 1,) each."""
    truth, table = checked(labels, scores)
    distinct = np.unique(table[0])[::-1]
    sides = weights_by_score(truth, table[0], np.ones((1, truth.size)))
    positives, negatives = (np.append(0, np.cumsum(side[0][::-1])) for side in sides)
    above = np.nextafter(distinct[0], np.inf) if distinct.size else np.nan
    return positives, negatives, np.append(above, distinct)


def _band(
    at: Callable[[Floats, Floats, Floats], Floats],
    labels: ArrayLike,
    scores: ArrayLike,
    patients: Patients,
    replicates: int,
    seed: int,
    grid: Floats,
) -> Band:
    truth, table = checked(labels, scores)

    def mean(weights: NDArray[np.number]) -> Floats:
        return np.mean([at(*weights_by_score(truth, row, weights), grid) for row in table], axis=0)

    y = mean(np.ones((1, truth.size)))[0]
    drawn = [mean(weights) for weights in patient_weights(patients, replicates, seed)]
    low, high = (
        _percentiles(np.concatenate(drawn)) if drawn else (np.full(grid.size, np.nan), np.full(grid.size, np.nan))
    )
    return Band(grid, y, low, high)


def _percentiles(drawn: Floats) -> tuple[Floats, Floats]:
    """Of the replicates (R, G) that have a curve; NaN when they are too few."""
    defined = drawn[~np.isnan(drawn).any(axis=1)]
    if len(defined) < max(MIN_DEFINED, MIN_SHARE * len(drawn)):
        return np.full(drawn.shape[1], np.nan), np.full(drawn.shape[1], np.nan)
    low, high = np.percentile(defined, [2.5, 97.5], axis=0)
    return low, high


def _sensitivities(positives: Floats, negatives: Floats, grid: Floats) -> Floats:
    """Weights (R, D) at the distinct scores -> sensitivity at each false positive rate (R, G); of several the highest."""
    result = np.full((len(positives), grid.size), np.nan)
    for row, (found, false) in enumerate(zip(positives, negatives, strict=True)):
        if found.sum() > 0 and false.sum() > 0:
            x, y = (np.append(0, np.cumsum(side[::-1])) / side.sum() for side in (false, found))
            last = np.append(np.diff(x) > 0, True)  # the top of every upright part of the curve
            result[row] = np.interp(grid, x[last], y[last])
    return result


def _precisions(positives: Floats, negatives: Floats, grid: Floats) -> Floats:
    """Weights (R, D) at the distinct scores -> precision at each recall (R, G)."""
    result = np.full((len(positives), grid.size), np.nan)
    for row, (found, false) in enumerate(zip(positives, negatives, strict=True)):
        if found.sum() > 0:
            gains = found[::-1] > 0
            true = np.cumsum(found[::-1])[gains]
            called = true + np.cumsum(false[::-1])[gains]
            reached = np.searchsorted(true / true[-1], grid - 1e-12)  # a recall of 0.9 is reached by 9 of 10
            result[row] = (true / called)[np.minimum(reached, true.size - 1)]
    return result
