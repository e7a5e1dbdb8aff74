"""How good each reader, model or combination is, one by one, and the readers on average.

A number of one of them has the interval of a bootstrap over patients (statistics/bootstrap.py). The mean over readers has mean and
standard deviation of the readers at hand (divided by their number, as in the GMIC paper), and the interval for all readers and
patients (mrmc/orh.py) where a jackknife fits: not for the specificity at a sensitivity, which jumps from case to case.

Shapes   R readers | n cases
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mammoseg.metrics import auc
from mammoseg.reader_study.errors import StudyError
from mammoseg.reader_study.mrmc.covariance import jackknife
from mammoseg.reader_study.mrmc.inference import Estimate
from mammoseg.reader_study.mrmc.merit import (
    AUC,
    AVERAGE_PRECISION,
    FigureOfMerit,
    sensitivity_at,
    sensitivity_reached,
    specificity_at,
    specificity_at_sensitivity,
)
from mammoseg.reader_study.mrmc.orh import BOTH, analyse
from mammoseg.statistics.bootstrap import interval_of_scores
from mammoseg.statistics.operating import operating_point
from mammoseg.statistics.ranking import Floats

TITLES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
"""Of the metrics whose names do not hold a number."""
_AT = "specificity_at_"


@dataclass(frozen=True)
class Measuring:
    """What is measured, and how its intervals are made."""

    sensitivities: tuple[float, ...] = ()
    """Where specificities are taken."""
    bootstrap: int = 1000
    seed: int = 0

    def metrics(self) -> dict[str, FigureOfMerit]:
        """By the names of the results: auc, average_precision, specificity_at_0.621."""
        at = {at_sensitivity(least): specificity_at_sensitivity(least) for least in self.sensitivities}
        return {"auc": AUC, "average_precision": AVERAGE_PRECISION, **at}


def at_sensitivity(least: float) -> str:
    """The name of a specificity."""
    return f"{_AT}{least:.3f}"


def title(metric: str) -> str:
    """What people call it."""
    if metric.startswith(_AT):
        return f"Specificity at sensitivity {metric.removeprefix(_AT)}"
    return TITLES[metric]


def measured(labels: Floats, scores: Floats, patients: Sequence[str], how: Measuring) -> dict[str, Any]:
    """Metric -> value, low, high, and the sensitivity reached, of one reader or model."""
    found = {name: number(merit, labels, scores, patients, how) for name, merit in how.metrics().items()}
    for least in how.sensitivities:
        found[at_sensitivity(least)]["sensitivity"] = value(sensitivity_reached(least), labels, scores)
    return found


def decided(labels: Floats, scores: Floats, threshold: float, patients: Sequence[str]) -> dict[str, Any]:
    """Sensitivity and specificity of recalling what scores `threshold` or more, which was fixed before: Wilson, by patient."""
    point = operating_point(labels, scores, np.asarray(patients), "given", threshold)
    measures = {name: point.measures[name] for name in ("sensitivity", "specificity")}
    return {
        name: {"value": each.value, "low": each.low, "high": each.high, "no_interval": each.reason}
        for name, each in measures.items()
    }


def number(
    merit: FigureOfMerit, labels: Floats, scores: Floats, patients: Sequence[str], how: Measuring
) -> dict[str, Any]:
    """Value with its interval."""
    scale = "percentile" if merit is AVERAGE_PRECISION else auc.SCALE  # as in evaluate
    spread = interval_of_scores(merit, labels, scores, patients, how.bootstrap, how.seed, scale)
    return {"value": value(merit, labels, scores), "low": spread.low, "high": spread.high, "no_interval": spread.reason}


def value(merit: FigureOfMerit, labels: Floats, scores: Floats) -> float:
    return float(merit(labels, scores, np.ones((1, labels.size)))[0])


def average(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Metric -> mean and standard deviation of the readers whose results these are."""
    values = {metric: np.array([each[metric]["value"] for each in found]) for metric in found[0]}
    return {metric: {"value": float(each.mean()), "std": float(each.std())} for metric, each in values.items()}


def smooth(recall_at: float | None) -> dict[str, FigureOfMerit]:
    """The metrics that a jackknife fits, by name; sensitivity and specificity where readers decide at a threshold."""
    decisions = (
        {}
        if recall_at is None
        else {"sensitivity": sensitivity_at(recall_at), "specificity": specificity_at(recall_at)}
    )
    return {"auc": AUC, "average_precision": AVERAGE_PRECISION, **decisions}


def that_count(
    metric: str, labels: Floats, scores_KN: Floats, patients: Sequence[str]
) -> tuple[Floats, Floats, list[str]]:
    """The cases that a metric is about: only positives and their patients vary a sensitivity, only negatives a specificity."""
    label = {"sensitivity": 1, "specificity": 0}.get(metric)
    kept = np.ones(labels.size, bool) if label is None else labels == label
    return labels[kept], scores_KN[:, kept], [patient for patient, keep in zip(patients, kept, strict=True) if keep]


def for_all_readers(
    metric: str, merit: FigureOfMerit, labels: Floats, scores_RN: Floats, patients: Sequence[str]
) -> dict[str, Any]:
    """Interval of the mean over readers that holds for all readers and patients; or `no_interval`, why there is none."""
    if len(scores_RN) < 2:
        return {"low": float("nan"), "high": float("nan"), "no_interval": "one reader does not stand for all"}
    try:
        merits = jackknife(merit, *that_count(metric, labels, scores_RN, patients))
    except StudyError as error:
        return {"low": float("nan"), "high": float("nan"), "no_interval": str(error)}
    return interval_of(analyse(merits, modalities=1).analyses[BOTH].modalities[0])


def interval_of(estimate: Estimate) -> dict[str, Any]:
    if not estimate.se > 0:
        why = "all readers and patients agree: they do not tell how far it may be off"
        return {"low": float("nan"), "high": float("nan"), "se": estimate.se, "df": estimate.df, "no_interval": why}
    return {"low": estimate.low, "high": estimate.high, "se": estimate.se, "df": estimate.df, "no_interval": None}
