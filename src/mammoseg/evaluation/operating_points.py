"""What the final score does at thresholds: chosen on these cases, given, or taken over from another evaluation.

    sensitivity=0.9, specificity=0.9, recall_rate=0.1    chosen on these cases: the interval chooses anew in each replicate
    threshold=0.35, and those of another evaluation      held fixed: interval of Wilson, by patient

A point that was chosen on the cases on which it is measured looks better than it will be: choose it on a validation part, and
take it over for the test part. Every measure has the other usual intervals beside its own (`intervals`), for comparison.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.bounded import read_json, sha256_of
from mammoseg.config import ConfigError
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, caution, score_column
from mammoseg.statistics.operating import MEASURES, OperatingPoint, operating_point
from mammoseg.statistics.proportion import METHODS, Proportion, proportion

HERE = "these cases"
_RULES = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "recall_rate": "recall_rate",
    "threshold": "given",
}
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_POINT = re.compile(rf"\s*({'|'.join(_RULES)})\s*=\s*({_NUMBER})\s*")
_FIXED = "wilson"


class OperatingPointError(ValueError):
    """A file from which no thresholds can be taken over."""


@dataclass(frozen=True)
class Wanted:
    """A point to measure."""

    name: str
    rule: str
    """As `statistics.operating.RULES`."""
    target: float
    chosen_on: Any = HERE
    """`HERE`, None for a given threshold, or the file from which it was taken over."""


def read_points(texts: Sequence[str]) -> list[Wanted]:
    """`sensitivity=0.9` and the like. Raises ConfigError for anything else."""
    found = []
    for text in dict.fromkeys(texts):
        matched = _POINT.fullmatch(text)
        target = float(matched[2]) if matched else math.nan
        if not matched or not math.isfinite(target) or (matched[1] != "threshold" and not 0 <= target <= 1):
            raise ConfigError(
                f"operating point {text!r:.80}: expected sensitivity=, specificity= or recall_rate= with a share from 0 to 1, or "
                "threshold= with a score. Write, for example, sensitivity=0.9."
            )
        given = matched[1] == "threshold"
        found.append(Wanted(text.replace(" ", ""), _RULES[matched[1]], target, None if given else HERE))
    return found


def points_of(path: Path) -> dict[tuple[str, str], list[Wanted]]:
    """(level, class) -> thresholds of an evaluation, from its metrics.json. Raises OperatingPointError if it has none."""
    expected = "Expected metrics.json of an evaluation with --at. Evaluate the part that chooses with --at first."
    try:
        metrics = read_json(path)
        source = {"file": path.name, "sha256": sha256_of(path), "split": metrics.get("split")}
        found = {
            (level, label): [
                Wanted(str(name), "given", float(point["threshold"]), source)
                for name, point in points.items()
                if point["threshold"] is not None and math.isfinite(point["threshold"])
            ]
            for level, classes in metrics.get("operating_points", {}).items()
            for label, points in classes.items()
        }
    except OSError as error:
        raise OperatingPointError(f"{path}: cannot be read ({error.strerror}). {expected}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OperatingPointError(f"{path}: is not that ({type(error).__name__}). {expected}") from None
    if not any(found.values()):
        raise OperatingPointError(f"{path}: holds no threshold. {expected}")
    return found


def operating_points(
    tables: Mapping[str, pd.DataFrame],
    method: Method,
    here: Sequence[Wanted],
    before: Mapping[tuple[str, str], Sequence[Wanted]],
) -> dict[str, Any]:
    """level -> class -> name -> threshold, rule, counts and the five measures, each with its interval.

    `here` are wanted at all levels and of all classes; `before`, those of another evaluation, at theirs. Empty if there are none.
    """
    if not here and not before:
        return {}
    return {
        level: {
            label: _named([*here, *before.get((level, label), ())], table, label, method) for label in method.classes
        }
        for level, table in tables.items()
    }


def _named(wanted: Sequence[Wanted], table: pd.DataFrame, label: str, method: Method) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for point in wanted:
        name = f"{point.name} (fixed before)" if point.name in found else point.name
        found[name] = _measured(replace(point, name=name), table, label, method)
    return found


def _measured(point: Wanted, table: pd.DataFrame, label: str, method: Method) -> dict[str, Any]:
    known = table[table[label].notna() & table[score_column(FINAL, label)].notna()]
    truth, scores = known[label].to_numpy(float), known[score_column(FINAL, label)].to_numpy(float)
    patients = known["patient_id"].tolist()
    way = "bootstrap" if point.chosen_on == HERE and method.bootstrap else _FIXED
    at = operating_point(truth, scores, patients, point.rule, point.target, way, method.bootstrap, method.seed)
    sides = [known.loc[truth == value, "patient_id"].nunique() for value in (1, 0)]
    undefined = math.isnan(at.threshold)
    return {
        "threshold": at.threshold,
        "rule": point.rule,
        "target": point.target,
        "chosen_on": point.chosen_on,
        "n": truth.size,
        "true_positives": at.true_positives,
        "false_positives": at.false_positives,
        "true_negatives": at.true_negatives,
        "false_negatives": at.false_negatives,
        "caution": None if undefined else caution(*sides),
        "reason": "no threshold: a class has no case" if undefined else None,
        **{name: _measure(at, name) for name in MEASURES},
    }


def _measure(at: OperatingPoint, name: str) -> dict[str, Any]:
    measure = at.measures[name]
    return {
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "k": measure.k,
        "of": measure.n,
        "method": measure.method,
        "no_interval": measure.reason,
        "intervals": _others(measure),
    }


def _others(measure: Proportion) -> dict[str, list[float]]:
    """As if all cases were independent of each other."""
    if not measure.n:
        return {}
    found = {name: proportion(measure.k, measure.n, name) for name in METHODS}
    return {name: [each.low, each.high] for name, each in found.items()}
