"""Figures of merit: what an analysis compares, one number for the scores of a reader in a modality.

A figure of merit takes labels (n,), 0 or 1, scores (n,) and weights (W, n), how often each case counts, and gives (W,) numbers, NaN
where undefined: what a metric of scores in `mammoseg.metrics` measures. With the weights, jackknife and bootstrap need one call.

Shapes   n cases | W rows of weights
"""

from collections.abc import Callable

import numpy as np

from mammoseg.metrics.auc import measure as auc
from mammoseg.statistics.ranking import Floats

FigureOfMerit = Callable[[Floats, Floats, Floats], Floats]

AUC: FigureOfMerit = auc


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


def of_function(function: Callable[[Floats, Floats], float]) -> FigureOfMerit:
    """Any function of labels and scores; it is called once for each row of weights, with every case as often as it counts."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        times = np.rint(weights).astype(np.int64)
        values = [function(np.repeat(labels, row), np.repeat(scores, row)) for row in times]
        return np.array(values, dtype=np.float64)

    return measure


def _share(right: Floats, of: Floats, weights: Floats) -> Floats:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we want
        return weights @ (right & of).astype(np.float64) / (weights @ of.astype(np.float64))
