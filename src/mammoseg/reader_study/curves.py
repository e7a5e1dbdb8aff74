"""The curves of a study as rows of a table: ROC and precision-recall curves of readers and models, and the average of the readers.

Points, averages and what lies between them are those of statistics/curve.py. Points that change nothing in the curve are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mammoseg.statistics.curve import precision_recall, precision_recall_band, roc, roc_band
from mammoseg.statistics.ranking import Floats

GRID = np.linspace(0, 1, 501)
"""Places of the averages."""


def curve_rows(
    labels: Floats, readers: Mapping[str, Floats], models: Mapping[str, Floats], average: str
) -> list[dict[str, Any]]:
    """curve (roc, pr), kind (reader, model, average), of, x, y; `average` is what the average is called."""
    rows: list[dict[str, Any]] = []
    together, nobody = np.array(list(readers.values())), [""] * labels.size
    for curve, one, mean in (("roc", roc_corners, roc_band), ("pr", recalls_reached, precision_recall_band)):
        for kind, group in (("reader", readers), ("model", models)):
            for name, scores in group.items():
                rows += _rows(curve, kind, name, *one(labels, scores))
        band = mean(labels, together, nobody, replicates=0, grid=GRID)
        rows += _rows(curve, "average", average, band.x, band.y)
    return rows


def roc_corners(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """False positive rate and sensitivity, without points between others on a line."""
    curve = roc(labels, scores)
    dx, dy = np.diff(curve.x), np.diff(curve.y)
    bends = ~np.isclose(dx[1:] * dy[:-1], dx[:-1] * dy[1:], rtol=1e-9, atol=0)
    corner = np.concatenate([[True], bends, [True]])
    return curve.x[corner], curve.y[corner]


def recalls_reached(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Each recall that is reached, ascending, with the precision of the highest threshold that reaches it."""
    curve = precision_recall(labels, scores)
    rises = np.diff(curve.x, prepend=0) > 0
    return curve.x[rises], curve.y[rises]


def _rows(curve: str, kind: str, name: str, x: Floats, y: Floats) -> Sequence[dict[str, Any]]:
    points = zip(x.tolist(), y.tolist(), strict=True)
    return [{"curve": curve, "kind": kind, "of": name, "x": a, "y": b} for a, b in points]
