"""ROC and precision-recall curves of an evaluation, with bands by patient, and the tables behind their figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.statistics.bootstrap import affordable
from mammoseg.statistics.curve import Band, Curve, precision_recall, precision_recall_band, roc, roc_band

AXES = {"roc": ("false_positive_rate", "sensitivity"), "pr": ("recall", "precision")}
"""Kind of curve -> what its x and y are."""
_OF_KIND: Mapping[str, Any] = {"roc": (roc, roc_band), "pr": (precision_recall, precision_recall_band)}
MOST_POINTS = 2000
"""Points of a curve that are drawn and written; of more, every n-th."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A curve of one class."""

    curve: Curve
    band: Band | None
    """None without replicates."""
    prevalence: float
    """Share of positives: the precision of chance."""
    points: int
    """So many there were before every n-th was taken."""


def draw_curves(table: pd.DataFrame, results: Mapping[str, Any], method: Method) -> dict[str, dict[str, Drawn]]:
    """Kind (`AXES`) -> class -> its curve, without classes that have none. `results`: class -> source -> `ranking`."""
    found: dict[str, dict[str, Drawn]] = {kind: {} for kind in AXES}
    for label in method.classes:
        if results[label][FINAL]["reason"] is not None:
            continue
        known = table[table[label].notna() & table[score_column(FINAL, label)].notna()]
        known = known.sort_values(score_column(FINAL, label), kind="stable")  # once, for all replicates
        truth, scores = known[label].to_numpy(float), known[score_column(FINAL, label)].to_numpy(float)
        for kind, (curve, band) in _OF_KIND.items():
            replicates = affordable(method.bootstrap, 2 * truth.size)
            made = (
                band(truth, scores, known["patient_id"].factorize(sort=True)[0], replicates, method.seed)
                if replicates
                else None
            )
            whole = curve(truth, scores)
            found[kind][label] = Drawn(_thinned(whole), made, float(truth.mean()), whole.x.size)
    return found


def curve_table(kind: str, curves: Mapping[str, Drawn]) -> pd.DataFrame:
    """What the figure shows, as rows: class, part (curve or band), x and y by their names, threshold; low and high of the band."""
    x, y = AXES[kind]
    columns = ["class", "part", x, y, "threshold", "low", "high"]
    rows = [row for label, drawn in curves.items() for row in _rows(label, drawn)]
    return pd.DataFrame([row for part in rows for row in part], columns=columns)


def curves_about(drawn: Mapping[str, Mapping[str, Drawn]], level: str, method: Method) -> dict[str, Any]:
    """What metrics.json says of the curves: their files, level, points and bands."""
    kinds = {
        kind: {
            "file": f"{kind}.csv",
            "points": {label: {"of": each.points, "written": each.curve.x.size} for label, each in curves.items()},
        }
        for kind, curves in drawn.items()
    }
    return {
        "level": level,
        "band": "pointwise 95 %, bootstrap by patient",
        "most_replicates": method.bootstrap,
        **kinds,
    }


def _rows(label: str, drawn: Drawn) -> Iterator[Sequence[tuple[Any, ...]]]:
    curve, band = drawn.curve, drawn.band
    yield [(label, "curve", *point, None, None) for point in zip(curve.x, curve.y, curve.threshold, strict=True)]
    if band is not None:
        yield [
            (label, "band", x, y, None, low, high)
            for x, y, low, high in zip(band.x, band.y, band.low, band.high, strict=True)
        ]


def _thinned(curve: Curve) -> Curve:
    keep: NDArray[np.intp] = np.unique(
        np.linspace(0, curve.x.size - 1, min(curve.x.size, MOST_POINTS)).round().astype(np.intp)
    )
    return Curve(curve.x[keep], curve.y[keep], curve.threshold[keep])
