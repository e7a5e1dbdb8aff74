"""Figures of merit: what an analysis compares, one number for the scores of a reader in a modality.

A figure of merit takes labels (n,), 0 or 1, scores (n,) and weights (W, n), how often each case counts, and gives (W,) numbers, NaN
where undefined: what a metric of scores in `mammoseg.metrics` measures. With the weights, jackknife and bootstrap need one call.

Shapes   n cases | W rows of weights
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mammoseg.metrics.auc import measure as auc
from mammoseg.metrics.average_precision import measure as average_precision
from mammoseg.statistics.ranking import Floats, weights_by_score

FigureOfMerit = Callable[[Floats, Floats, Floats], Floats]

AUC: FigureOfMerit = auc
AVERAGE_PRECISION: FigureOfMerit = average_precision
_ROUNDING = 1e-12
"""A sensitivity that is meant to be reached is not missed by the last digit of a float."""


def sensitivity_at(threshold: float) -> FigureOfMerit:
    """Share of the positives with a score of `threshold` or more."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        return _share(scores >= threshold, labels == 1, weights)

    return measure


def specificity_at(threshold: float) -> FigureOfMerit:
    """Share of the negatives with a score below `threshold`."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        return _share(scores < threshold, labels == 0, weights)

    return measure


def specificity_at_sensitivity(least: float) -> FigureOfMerit:
    """Specificity at the highest threshold that gives a sensitivity of `least` or more: the first such point of the ROC curve."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        return _first_point(labels, scores, weights, least)[1]

    return measure


def sensitivity_reached(least: float) -> FigureOfMerit:
    """The sensitivity of that point."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        return _first_point(labels, scores, weights, least)[0]

    return measure


def of_function(function: Callable[[Floats, Floats], float]) -> FigureOfMerit:
    """Any function of labels and scores; it is called once for each row of weights, with every case as often as it counts."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        times = np.rint(weights).astype(np.int64)
        values = [function(np.repeat(labels, row), np.repeat(scores, row)) for row in times]
        return np.array(values, dtype=np.float64)

    return measure


def _first_point(labels: Floats, scores: Floats, weights: Floats, least: float) -> tuple[Floats, Floats]:
    positives, negatives = (counts[:, ::-1].cumsum(axis=1) for counts in weights_by_score(labels, scores, weights))
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we want
        found, called = positives / positives[:, -1:], negatives / negatives[:, -1:]
    first = (found >= least - _ROUNDING).argmax(axis=1)[:, None]
    sensitivity, specificity = np.take_along_axis(found, first, 1)[:, 0], 1 - np.take_along_axis(called, first, 1)[:, 0]
    undefined = np.isnan(sensitivity + specificity)
    return np.where(undefined, np.nan, sensitivity), np.where(undefined, np.nan, specificity)


def _share(right: NDArray[np.bool_], of: NDArray[np.bool_], weights: Floats) -> Floats:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we want
        return weights @ (right & of).astype(np.float64) / (weights @ of.astype(np.float64))
