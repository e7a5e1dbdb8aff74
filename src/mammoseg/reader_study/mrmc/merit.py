"""Figures of merit: what an analysis compares, one number for the scores of a reader in a modality.

A figure of merit takes labels (n,), 0 or 1, scores (n,) and weights (W, n), how often each case counts, and gives (W,) numbers, NaN
where undefined: what a metric of scores in `mammoseg.metrics` measures. With the weights, jackknife and bootstrap need one call.

Shapes   n cases | W rows of weights
"""

from collections.abc import Callable

import numpy as np

from mammoseg.metrics.auc import measure as auc
from mammoseg.metrics.average_precision import measure as average_precision
from mammoseg.statistics.operating import measures_at
from mammoseg.statistics.ranking import Floats

FigureOfMerit = Callable[[Floats, Floats, Floats], Floats]

AUC: FigureOfMerit = auc
AVERAGE_PRECISION: FigureOfMerit = average_precision


def sensitivity_at(threshold: float) -> FigureOfMerit:
    """Share of the positives with a score of `threshold` or more."""
    return _at("given", threshold, "sensitivity")


def specificity_at(threshold: float) -> FigureOfMerit:
    """Share of the negatives with a score below `threshold`."""
    return _at("given", threshold, "specificity")


def specificity_at_sensitivity(least: float) -> FigureOfMerit:
    """Specificity at the highest threshold that gives a sensitivity of `least` or more: the first such point of the ROC curve."""
    return _at("sensitivity", least, "specificity")


def sensitivity_reached(least: float) -> FigureOfMerit:
    """The sensitivity of that point."""
    return _at("sensitivity", least, "sensitivity")


def of_function(function: Callable[[Floats, Floats], float]) -> FigureOfMerit:
    """Any function of labels and scores; it is called once for each row of weights, with every case as often as it counts."""

    def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        times = np.rint(weights).astype(np.int64)
        values = [function(np.repeat(labels, row), np.repeat(scores, row)) for row in times]
        return np.array(values, dtype=np.float64)

    return measure


def _at(rule: str, target: float, measure: str) -> FigureOfMerit:
    """A measure at the operating point of a rule (statistics/operating.py)."""

    def merit(labels: Floats, scores: Floats, weights: Floats) -> Floats:
        return measures_at(labels, scores, weights, rule, target)[measure]

    return merit
