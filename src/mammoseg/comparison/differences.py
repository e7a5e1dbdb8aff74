"""What B has more than A: of scores, at operating points and in maps, each with interval and p value.

A number is a dictionary: a, b, value (B less A), low, high, p, test, n (cases) and what limits it (caution, reason); in a family of
several p_holm and `holm_of`, the size of the family.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.comparison.pairs import A, B, Pairs
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.operating_points import HERE
from mammoseg.evaluation.results import Results, part
from mammoseg.evaluation.scores import FEW_PATIENTS, caution, score_column
from mammoseg.statistics.clusters import Floats
from mammoseg.statistics.comparison import Comparison, by_bootstrap, by_delong, by_permutation, holm, non_inferiority
from mammoseg.statistics.mcnemar import clustered_mcnemar
from mammoseg.statistics.paired_mean import mean_difference
from mammoseg.wording import counted

Number = dict[str, Any]
AUC = "auc"
_TESTED = ("low", "high", "p")


@dataclass(frozen=True)
class Settings:
    """How to compare."""

    replicates: int = 2000
    """Of bootstrap and permutation; 0: neither."""
    seed: int = 0
    margin: float | None = None
    """The loss of AUC that would be borne; None: nobody asks for non-inferiority."""


def score_differences(pairs: Pairs, level: str, method: Method, settings: Settings) -> dict[str, dict[str, Number]]:
    """Class -> metric of scores -> number. AUCs by DeLong, with bootstrap and permutation beside it; others by bootstrap."""
    table = pairs.cases[level]
    found: dict[str, dict[str, Number]] = {}
    for label in pairs.classes:
        truth, a, b, patients = _known(table, label)
        about = {"n": truth.size, "positives": int(truth.sum()), "caution": _of_few(truth, patients)}
        found[label] = {}
        for name, measure in method.of_scores().items():
            in_a, in_b = (float(measure(truth, scores, np.ones((1, truth.size)))[0]) for scores in (a, b))
            ways: dict[str, Comparison] = {}
            if settings.replicates and not math.isnan(in_a - in_b):
                given = (measure, truth, b, a, patients, settings.replicates, settings.seed)
                ways = {"bootstrap": by_bootstrap(*given), "permutation": by_permutation(*given)}
            chosen = by_delong(truth, b, a, patients) if name == AUC else ways.get("bootstrap")
            number = _number(in_a, in_b, chosen) | about
            number |= {way: {key: getattr(way_found, key) for key in _TESTED} for way, way_found in ways.items()}
            if name == AUC and chosen is not None and settings.margin is not None:
                number["non_inferiority"] = asdict(non_inferiority(chosen, settings.margin))
            found[label][name] = number
    _with_holm(number for numbers in found.values() for number in numbers.values())
    return found


def point_differences(a: Results, b: Results, pairs: Pairs, level: str) -> dict[str, dict[str, Any]]:
    """Class -> operating point that both have -> thresholds, sensitivity and specificity (numbers), by McNemar's test of patients.

    The thresholds are those of each evaluation, and are held fixed.
    """
    table = pairs.cases[level]
    found: dict[str, dict[str, Any]] = {}
    for label in pairs.classes:
        points = [part(results.metrics, "operating_points", level, label) for results in (a, b)]
        truth, *scores, patients = _known(table, label)
        found[label] = {}
        for name in points[0]:
            both = [part(each, name) for each in points]
            thresholds = [float(t) for t in (each.get("threshold") for each in both) if isinstance(t, int | float)]
            if len(thresholds) == len(both):
                called = [each >= threshold for each, threshold in zip(scores, thresholds, strict=True)]
                found[label][name] = {
                    "threshold_a": thresholds[0],
                    "threshold_b": thresholds[1],
                    "chosen_on_these_cases": any(point.get("chosen_on") == HERE for point in both),
                    **_at_point(truth, called, patients),
                }
    points_of = [point for points in found.values() for point in points.values()]
    _with_holm(point[measure] for point in points_of for measure in ("sensitivity", "specificity"))
    return found


def map_differences(pairs: Pairs, titles: Mapping[str, str]) -> dict[str, dict[str, Number]]:
    """Class -> metric of the final map -> number, means over images; of metrics that have a title."""
    found: dict[str, dict[str, Number]] = {}
    for (label, metric), rows in pairs.maps.groupby(["class", "metric"], sort=False):
        if metric in titles:
            several = rows["patient_id"].nunique()
            comparison = mean_difference(rows[B], rows[A], rows["patient_id"].tolist())
            found.setdefault(str(label), {})[str(metric)] = {
                **_number(float(rows[A].mean()), float(rows[B].mean()), comparison),
                "n": len(rows),
                "higher": int((rows[B] > rows[A]).sum()),
                "lower": int((rows[B] < rows[A]).sum()),
                "caution": f"caution: only {counted(several, 'patient')}" if several < FEW_PATIENTS else None,
            }
    _with_holm(number for numbers in found.values() for number in numbers.values())
    return found


def _known(table: pd.DataFrame, label: str) -> tuple[Floats, Floats, Floats, Any]:
    """Labels, scores of A and of B, and patients of the cases for which all are known."""
    columns = [score_column(name, label) for name in (A, B)]
    known = table[table[[label, *columns]].notna().all(axis=1)]
    numbers = [known[column].to_numpy(np.float64) for column in (label, *columns)]
    return numbers[0], numbers[1], numbers[2], known["patient_id"].to_numpy(str)


def _at_point(truth: Floats, called: list[NDArray[np.bool_]], patients: Any) -> dict[str, Number]:
    found = {}
    for name, side in (("sensitivity", 1), ("specificity", 0)):
        among = truth == side
        a, b = (np.equal(each[among], side == 1) for each in called)
        test = clustered_mcnemar(b, a, patients[among])
        in_a, in_b = (float(right.mean()) if right.size else math.nan for right in (a, b))
        found[name] = _number(in_a, in_b, test.comparison) | {
            "n": test.n,
            "a_alone": test.second_alone,
            "b_alone": test.first_alone,
            "caution": _of_few(truth, patients),
        }
    return found


def _number(a: float, b: float, comparison: Comparison | None) -> Number:
    if comparison is None:
        nothing = {"low": math.nan, "high": math.nan, "p": math.nan, "test": None}
        return {"a": a, "b": b, "value": b - a, **nothing, "reason": "no replicates were drawn"}
    tested = {key: getattr(comparison, key) for key in _TESTED}
    return {"a": a, "b": b, "value": b - a, **tested, "test": comparison.method, "reason": comparison.reason}


def _of_few(truth: Floats, patients: Any) -> str | None:
    return caution(*(np.unique(patients[truth == side]).size for side in (1, 0)))


def _with_holm(numbers: Iterable[Number]) -> None:
    """Add the adjusted p values of a family."""
    family = list(numbers)
    size = sum(not math.isnan(number["p"]) for number in family)
    for number, adjusted in zip(family, holm([number["p"] for number in family]), strict=True):
        number |= {"p_holm": adjusted, "holm_of": size}
