"""ROC and precision-recall curves of readers, and their averages.

The average ROC curve is the mean of the sensitivities at each false positive rate, between two points of a reader's curve on the
line that joins them (vertical averaging); its area is the mean of the AUCs. The average precision-recall curve is the mean of the
precisions at each recall; a curve has there the precision of its highest threshold that reaches the recall, as average precision
counts it, since lines between points would promise too much.

Source   Fawcett 2006, Pattern Recognition Letters 27:861 (vertical averaging); Davis and Goadrich 2006, ICML (no lines between
         points of precision and recall).

Shapes   R readers | n cases | Q points of the common axis
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mammoseg.statistics.ranking import Floats, weights_by_score

GRID = np.linspace(0, 1, 501)
"""The common axis of averages."""


def roc(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """False positive rate and sensitivity, from (0, 0) to (1, 1), without points between others on a line."""
    positives, negatives = (np.append(0.0, called) for called in _called(labels, scores))
    dx, dy = np.diff(negatives), np.diff(positives)
    corner = np.concatenate([[True], dx[1:] * dy[:-1] != dx[:-1] * dy[1:], [True]])  # whole numbers: exact
    return negatives[corner] / negatives[-1], positives[corner] / positives[-1]


def precision_recall(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Each recall that is reached, ascending, with the precision of the highest threshold that reaches it."""
    positives, negatives = _called(labels, scores)
    rises = np.diff(positives, prepend=0) > 0
    return positives[rises] / positives[-1], positives[rises] / (positives + negatives)[rises]


def average_roc(labels: Floats, scores_RN: Floats) -> Floats:
    """Mean sensitivity at the false positive rates of GRID, (Q,)."""
    curves = []
    for scores in scores_RN:
        rate, sensitivity = roc(labels, scores)
        upper = np.append(rate[1:] > rate[:-1], True)  # the highest point at each rate
        curves.append(np.interp(GRID, rate[upper], sensitivity[upper]))
    return np.mean(curves, axis=0)


def average_precision_recall(labels: Floats, scores_RN: Floats) -> Floats:
    """Mean precision at the recalls of GRID, (Q,)."""
    curves = []
    for scores in scores_RN:
        recall, precision = precision_recall(labels, scores)
        curves.append(precision[np.searchsorted(recall, GRID - 1e-12)])
    return np.mean(curves, axis=0)


def curve_rows(
    labels: Floats, readers: Mapping[str, Floats], models: Mapping[str, Floats], average: str
) -> list[dict[str, Any]]:
    """All curves as rows: curve (roc, pr), kind (reader, model, average), of, x, y; `average` is what the average is called."""
    rows: list[dict[str, Any]] = []
    together = np.array(list(readers.values()))
    for curve, one, mean in (("roc", roc, average_roc), ("pr", precision_recall, average_precision_recall)):
        for kind, group in (("reader", readers), ("model", models)):
            for name, scores in group.items():
                rows += _rows(curve, kind, name, *one(labels, scores))
        rows += _rows(curve, "average", average, GRID, mean(labels, together))
    return rows


def _rows(curve: str, kind: str, name: str, x: Floats, y: Floats) -> Sequence[dict[str, Any]]:
    points = zip(x.tolist(), y.tolist(), strict=True)
    return [{"curve": curve, "kind": kind, "of": name, "x": a, "y": b} for a, b in points]


def _called(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Positives and negatives with each distinct score or more, highest first."""
    positives, negatives = weights_by_score(labels, scores, np.ones((1, labels.size)))
    return positives[0, ::-1].cumsum(), negatives[0, ::-1].cumsum()
