"""Metrics of the scores at image and breast level, with bootstrap intervals by patient.

A breast's score is the mean over its images (those that were predicted), its label that of `breast_labels`. Unknown
labels are left out and counted; never negative.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.config import ConfigError
from mammoseg.data.breasts import breast_labels
from mammoseg.evaluation.method import Method
from mammoseg.statistics.bootstrap import Floats, interval_of_scores

LEVELS = ("image", "breast")
FINAL = "final"
"""Name of the model's own score among the scores of its parts."""

NOT_PREDICTED = "the model does not predict this class"
"""Why a number about a class without scores is undefined."""

FEW_PATIENTS = 10
"""With fewer patients on one side, positive or negative, a number comes with a caution."""

BREAST = ["patient_id", "exam_id", "laterality"]


def score_column(source: str, label: str) -> str:
    """Column of a score: ("final", "benign") -> "score_final_benign"."""
    return f"score_{source}_{label}"


def breast_table(images: pd.DataFrame, sources: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """One row per image -> one row per breast (patient, exam, side): labels 0, 1 or NaN, mean scores."""
    groups = images.groupby(BREAST, sort=True)
    scores = groups[[score_column(source, label) for source in sources for label in classes]].mean()
    labels = breast_labels(images[list(classes)].to_numpy(np.float64), groups.ngroup().to_numpy())
    return pd.DataFrame(labels, scores.index, list(classes)).join(scores).reset_index()


def score_tables(images: pd.DataFrame, sources: Sequence[str], method: Method) -> dict[str, Any]:
    """level -> class -> source -> result of `ranking`, for the image table of `join`."""
    tables = {"image": images, "breast": breast_table(images, sources, method.classes)}
    return {
        level: {
            label: {source: ranking(table, label, source, method) for source in sources} for label in method.classes
        }
        for level, table in tables.items()
    }


def ranking(table: pd.DataFrame, label: str, source: str, method: Method) -> dict[str, Any]:
    """Every metric of one score with 95 % intervals, and counts; `reason` says why a value is NaN, or is None.

    `unscored` are rows that the source says nothing about: a part that only some images have. `positive_patients` have a
    positive case, `negative_patients` a negative one, some have both; `caution` warns of few of them, or is None.
    """
    scored = table[score_column(source, label)].notna()
    known = table[table[label].notna() & scored]
    truth, scores = known[label].to_numpy(float), known[score_column(source, label)].to_numpy(float)
    positives = int(truth.sum())
    negatives = truth.size - positives
    patients = {value: known.loc[truth == value, "patient_id"].nunique() for value in (1, 0)}
    reason = NOT_PREDICTED if len(table) and not scored.any() else _why_undefined(positives, negatives)
    result: dict[str, Any] = {
        "n": truth.size,
        "positives": positives,
        "negatives": negatives,
        "positive_patients": patients[1],
        "negative_patients": patients[0],
        "unknown": int(table[label].isna().sum()),
        "unscored": int((table[label].notna() & ~scored).sum()),
        "reason": reason,
        "caution": _caution(patients[1], patients[0]) if reason is None else None,
    }
    for name, metric in method.of_scores().items():
        result[name] = _estimate(metric, truth, scores, known["patient_id"].tolist(), method, method.scale(name))
    return result


def breakdown(images: pd.DataFrame, column: str, method: Method) -> dict[str, Any]:
    """The final score within each value of a manifest column; rows without a value form the group "unknown".

    By breast when the column has one value in every breast (density), by image otherwise (view).
    ConfigError when there is no such column.
    """
    if column not in images:
        there = [str(name) for name in images.columns if not str(name).startswith("score_")]
        raise ConfigError(
            f"breakdown by {column!r}: the manifest has no such column. It has: {', '.join(there)}. Name one of these."
        )
    groups = images[column].map(lambda value: "unknown" if pd.isna(value) or value == "" else str(value))
    per_breast = bool((groups.groupby([images[key] for key in BREAST]).nunique() == 1).all())
    values = {}
    for name in sorted(groups.unique()):
        table = images[groups == name]
        table = breast_table(table, [FINAL], method.classes) if per_breast else table
        values[name] = {label: ranking(table, label, FINAL, method) for label in method.classes}
    return {"level": "breast" if per_breast else "image", "values": values}


def _estimate(
    metric: Callable[[Floats, Floats, Floats], Floats],
    truth: Floats,
    scores: Floats,
    patients: list[str],
    method: Method,
    scale: str,
) -> dict[str, Any]:
    value = float(metric(truth, scores, np.ones((1, truth.size)))[0])
    bootstrap = 0 if np.isnan(value) else method.bootstrap
    spread = interval_of_scores(metric, truth, scores, patients, bootstrap, method.seed, scale)
    return {
        "value": value,
        "low": spread.low,
        "high": spread.high,
        "replicates_dropped": spread.dropped,
        "no_interval": None if np.isnan(value) else spread.reason,
    }


def _caution(positive_patients: int, negative_patients: int) -> str | None:
    counts = {"positive": positive_patients, "negative": negative_patients}
    few = [f"{n} {name}" for name, n in counts.items() if n < FEW_PATIENTS]
    return f"caution: only {' and '.join(few)} patient{'' if few[-1].startswith('1 ') else 's'}" if few else None


def _why_undefined(positives: int, negatives: int) -> str | None:
    missing = [name for name, n in (("positive", positives), ("negative", negatives)) if n == 0]
    return f"no case with a {' and none with a '.join(missing)} label" if missing else None
