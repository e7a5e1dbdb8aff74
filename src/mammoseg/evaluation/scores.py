"""Metrics of the scores at image, breast and exam level, with bootstrap intervals by patient.

A breast's score is the mean over its images (those that were predicted), an exam's the maximum over its breasts (as in
io/scores_table.py); the label of both is that of `breast_labels`: positive when one part is, negative when all parts are known
to be. Unknown labels are left out and counted; never negative.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.breasts import breast_labels
from mammoseg.evaluation.method import Method
from mammoseg.statistics.bootstrap import Floats, Interval, intervals_of_scores

LEVELS = ("image", "breast", "exam")
FINAL = "final"
"""Name of the model's own score among the scores of its parts."""

NOT_PREDICTED = "the model does not predict this class"
"""Why a number about a class without scores is undefined."""

FEW_PATIENTS = 10
"""With fewer patients on one side, positive or negative, a number comes with a caution."""

EXAM = ["patient_id", "exam_id"]
BREAST = [*EXAM, "laterality"]


def score_column(source: str, label: str) -> str:
    """Column of a score: ("final", "benign") -> "score_final_benign"."""
    return f"score_{source}_{label}"


def breast_table(images: pd.DataFrame, sources: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """One row per image -> one row per breast (patient, exam, side): labels 0, 1 or NaN, mean scores."""
    groups = images.groupby(BREAST, sort=True)
    scores = groups[[score_column(source, label) for source in sources for label in classes]].mean()
    labels = breast_labels(images[list(classes)].to_numpy(np.float64), groups.ngroup().to_numpy())
    return pd.DataFrame(labels, scores.index, list(classes)).join(scores).reset_index()


def exam_table(breasts: pd.DataFrame, sources: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """`breast_table` -> one row per exam (patient, exam): labels 0, 1 or NaN, the highest score of its breasts."""
    groups = breasts.groupby(EXAM, sort=True)
    scores = groups[[score_column(source, label) for source in sources for label in classes]].max()
    labels = breast_labels(breasts[list(classes)].to_numpy(np.float64), groups.ngroup().to_numpy())
    return pd.DataFrame(labels, scores.index, list(classes)).join(scores).reset_index()


def level_tables(
    images: pd.DataFrame, sources: Sequence[str], classes: Sequence[str], levels: Sequence[str] = LEVELS
) -> dict[str, pd.DataFrame]:
    """Level -> its cases with labels and scores, for the image table of `join`."""
    tables = {"image": images}
    if set(levels) - {"image"}:
        tables["breast"] = breast_table(images, sources, classes)
        tables["exam"] = exam_table(tables["breast"], sources, classes)
    return {level: tables[level] for level in levels}


def score_tables(tables: Mapping[str, pd.DataFrame], sources: Sequence[str], method: Method) -> dict[str, Any]:
    """level -> class -> source -> result of `ranking`, for `level_tables`."""
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
        "caution": caution(patients[1], patients[0]) if reason is None else None,
    }
    return result | _estimates(truth, scores, known["patient_id"].factorize(sort=True)[0], method)


def _estimates(truth: Floats, scores: Floats, patients: NDArray[np.intp], method: Method) -> dict[str, dict[str, Any]]:
    """Every metric, with its interval where it is defined; patients are numbers in the order of their names."""
    once = np.ones((1, truth.size))
    metrics = method.of_scores()
    values = {name: float(metric(truth, scores, once)[0]) for name, metric in metrics.items()}
    defined = {name: (metrics[name], method.scale(name)) for name, value in values.items() if not np.isnan(value)}
    spreads = intervals_of_scores(defined, truth, scores, patients, method.bootstrap, method.seed) if defined else {}
    nothing = Interval(np.nan, np.nan, 0, 0, None)
    found = {name: (value, spreads.get(name, nothing)) for name, value in values.items()}
    return {name: {"value": value, **spread.as_numbers} for name, (value, spread) in found.items()}


def caution(positive_patients: int, negative_patients: int) -> str | None:
    """Of what a number on few patients never stands without; None with FEW_PATIENTS or more on both sides."""
    counts = {"positive": positive_patients, "negative": negative_patients}
    few = [f"{n} {name}" for name, n in counts.items() if n < FEW_PATIENTS]
    return f"caution: only {' and '.join(few)} patient{'' if few[-1].startswith('1 ') else 's'}" if few else None


def _why_undefined(positives: int, negatives: int) -> str | None:
    missing = [name for name, n in (("positive", positives), ("negative", negatives)) if n == 0]
    return f"no case with a {' and none with a '.join(missing)} label" if missing else None
