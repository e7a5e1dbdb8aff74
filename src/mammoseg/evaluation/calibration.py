"""Whether scores are right as probabilities: of breasts, as the scores are and as a calibration makes them.

    calibration   class -> source -> numbers, counts       in metrics.json
    sources       "final", the score as it is; "calibrated", where the predictions have a calibration

`weighted_to` says to which prevalence the cases were weighted (calibration_cases.py). Intervals are those of a bootstrap by
patient, in which bins are held. Beside them stands what the stored operating point does, at its threshold, with Wilson's intervals
by patient.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.calibration.bins import brier_parts, expected_calibration_error, expected_ece
from mammoseg.calibration.recalibration import recalibration
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.calibration_cases import CALIBRATED, Cases, Floats, sources_of
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, NOT_PREDICTED, caution, score_column
from mammoseg.statistics.bootstrap import interval_from
from mammoseg.statistics.operating import MEASURES, operating_point

TITLES = {
    "brier": "Brier score",
    "slope": "slope",
    "intercept": "intercept",
    "observed_to_expected": "observed / expected",
    "ece": "ECE",
}
"""What people look at first."""
NEED_BOTH = ("slope", "intercept", "cox_intercept", "scaled_brier")
"""Undefined without a positive or without a negative: the number of patients that decides is that of the rarer side."""


def calibration_numbers(
    table: pd.DataFrame, method: Method, calibration: Calibration | None, level: str = "breast"
) -> dict[str, Any]:
    """class -> source -> numbers, of the table of `breast_table`; `reason` says why there are none.

    A class whose scores are no probabilities (beyond [0, 1]) has no source. `level` is what a row of the table is.
    """
    found: dict[str, Any] = {}
    for name in method.classes:
        found[name] = {}
        for cases in sources_of(table, name, calibration):
            numbers = _numbers(cases, method) if cases.defined else {}
            found[name][cases.source] = {"level": level, **_counts(table, name, cases), **numbers}
            point = calibration.classes[name].point if calibration and cases.source == CALIBRATED else None
            if calibration and point and cases.defined:
                aligned = calibration.aligned(name, cases.scores)
                decided = {"threshold": point.threshold, **_decided(cases, aligned, point.threshold, method)}
                found[name][cases.source] |= decided
    return found


def calibration_table(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """The numbers that people look at first, as rows of text: class, of, those of TITLES."""
    return [
        {
            "class": name,
            "of": f"{source}, weighted to {numbers['weighted_to']:.3g} positive" if numbers["weighted_to"] else source,
            **{title: _text(numbers[key]) for key, title in TITLES.items()},
        }
        for name, sources in found.items()
        for source, numbers in sources.items()
        if numbers["reason"] is None
    ]


def stored_point_table(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the stored operating points do on these cases, as rows of text: class, threshold, the five measures."""
    rows = []
    for name, sources in found.items():
        numbers = sources.get(CALIBRATED, {})
        if "threshold" in numbers:
            measures = {measure.replace("_", " "): _text(numbers[measure]) for measure in MEASURES}
            rows.append({"class": name, "recalled from": f"{numbers['threshold']:.4g}", **measures})
    return rows


def _counts(table: pd.DataFrame, name: str, cases: Cases) -> dict[str, Any]:
    n, positives = cases.labels.size, int(cases.labels.sum())
    missing = [side for side, count in (("positive", positives), ("negative", n - positives)) if count == 0]
    reason = f"no case with a {' and none with a '.join(missing)} label" if missing else None
    return {
        "n": n,
        "positives": positives,
        "positive_patients": cases.sides[0],
        "negative_patients": cases.sides[1],
        "unknown": int(table[name].isna().sum()),
        "weighted_to": cases.target,
        "bins": cases.bins.member_nB.shape[1],
        "reason": NOT_PREDICTED if len(table) and table[score_column(FINAL, name)].isna().all() else reason,
        "caution": None if missing else caution(*cases.sides),
    }


def _numbers(cases: Cases, method: Method) -> dict[str, Any]:
    def everything(weights_Rn: Floats) -> dict[str, Floats]:
        ece = {"ece": expected_calibration_error(cases.bins, weights_Rn)}
        lines = recalibration(cases.labels, cases.probabilities, weights_Rn)
        return {**lines, **ece, **brier_parts(cases.bins, weights_Rn)}

    drawn = [everything(weights_Rn) for weights_Rn in cases.draws(method)]
    numbers: dict[str, Any] = {}
    for name, value in everything(cases.counts[None]).items():
        units = min(cases.sides) if name in NEED_BOTH else len(set(cases.patients.tolist()))
        numbers[name] = _estimate(float(value[0]), [block[name] for block in drawn], units, method)
    chance, why = expected_ece(cases.bins, cases.counts), "it is computed from the probabilities alone"
    numbers["expected_ece"] = {"value": chance, "low": np.nan, "high": np.nan, "no_interval": why}
    return numbers


def _estimate(value: float, drawn: Sequence[Floats], units: int, method: Method) -> dict[str, Any]:
    spread = interval_from(np.concatenate([np.empty(0), *drawn]), units, asked=method.bootstrap > 0)
    return {"value": value, **spread.as_numbers} | ({"no_interval": None} if np.isnan(value) else {})


def _decided(cases: Cases, aligned: Floats, threshold: float, method: Method) -> dict[str, Any]:
    """What the stored operating point does here."""
    point = operating_point(cases.labels, aligned, cases.patients, "given", threshold)
    numbers = {}
    for name, found in point.measures.items():
        value, low, high, why = found.value, found.low, found.high, found.reason
        if cases.target and name == "ppv":
            value, low, high = cases.moved(value), cases.moved(low), cases.moved(high)
        elif cases.target and name == "npv":
            value, low, high = (1 - cases.moved(1 - limit) for limit in (value, low, high))
        numbers[name] = {"value": value, "low": low, "high": high, "k": found.k, "of": found.n, "no_interval": why}
    if cases.target:
        recalled = (aligned >= threshold).astype(np.float64)
        drawn = [weights_Rn @ recalled / weights_Rn.sum(axis=1) for weights_Rn in cases.draws(method)]
        rate = float(cases.counts @ recalled / cases.counts.sum())
        numbers["recall_rate"] |= _estimate(rate, drawn, len(set(cases.patients.tolist())), method)
    return numbers


def _text(number: Mapping[str, Any]) -> str:
    if np.isnan(number["value"]):
        return "undefined"
    limits = "" if np.isnan(number["low"]) else f" ({number['low']:.3f} to {number['high']:.3f})"
    return f"{number['value']:.3f}{limits}"
