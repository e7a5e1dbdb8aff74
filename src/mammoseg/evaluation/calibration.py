"""Whether scores are right as probabilities: of breasts, as the scores are and as a calibration makes them.

    calibration   class -> source -> numbers, counts       in metrics.json
    sources       "final", the score as it is; "calibrated", where the predictions have a calibration

`weighted_to` says to which prevalence the cases were weighted (calibration_cases.py). Intervals are those of a bootstrap by
patient, in which bins are held. Beside them stands what the stored operating point does, at its threshold, with Wilson's intervals
by patient.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.calibration.bins import brier_parts, expected_calibration_error, expected_ece
from mammoseg.calibration.recalibration import recalibration
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.calibration_cases import CALIBRATED, Cases, Floats, sources_of
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, NOT_PREDICTED, caution, score_column
from mammoseg.statistics.bootstrap import interval
from mammoseg.statistics.operating import MEASURES, operating_point

TITLES = {
    "brier": "Brier score",
    "slope": "slope",
    "intercept": "intercept",
    "observed_to_expected": "observed / expected",
    "ece": "ECE",
}
"""What people look at first."""


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
            found[name][cases.source] = {"level": level, **_counts(table, name, cases, method), **numbers}
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


def _counts(table: pd.DataFrame, name: str, cases: Cases, method: Method) -> dict[str, Any]:
    n, positives = cases.labels.size, int(cases.labels.sum())
    with_one, without = (len(set(cases.patients[cases.labels == side].tolist())) for side in (1, 0))
    missing = [side for side, count in (("positive", positives), ("negative", n - positives)) if count == 0]
    reason = f"no case with a {' and none with a '.join(missing)} label" if missing else None
    return {
        "n": n,
        "positives": positives,
        "positive_patients": with_one,
        "negative_patients": without,
        "unknown": int(table[name].isna().sum()),
        "weighted_to": cases.target,
        "bins": cases.bins.member_nB.shape[1],
        "replicates": cases.replicates(method),
        "reason": NOT_PREDICTED if len(table) and table[score_column(FINAL, name)].isna().all() else reason,
        "caution": None if missing else caution(with_one, without),
    }


def _numbers(cases: Cases, method: Method) -> dict[str, Any]:
    def everything(weights_Rn: Floats) -> dict[str, Floats]:
        weighted = weights_Rn * cases.counts
        ece = {"ece": expected_calibration_error(cases.bins, weighted)}
        return {
            **recalibration(cases.labels, cases.probabilities, weighted),
            **ece,
            **brier_parts(cases.bins, weighted),
        }

    blocks: list[dict[str, Floats]] = []  # draws are the same for every number: all are computed once for each

    def of(name: str) -> Callable[[Floats], Floats]:
        places = count()

        def statistic(weights_Rn: Floats) -> Floats:
            if (place := next(places)) == len(blocks):
                blocks.append(everything(weights_Rn))
            return blocks[place][name]

        return statistic

    numbers: dict[str, Any] = {}
    for name, value in everything(np.ones((1, cases.labels.size))).items():
        spread = interval(of(name), cases.patients, cases.replicates(method), method.seed)
        numbers[name] = {
            "value": float(value[0]),
            "low": spread.low,
            "high": spread.high,
            "replicates_dropped": spread.dropped,
            "no_interval": None if np.isnan(value[0]) else spread.reason,
        }
    chance, why = expected_ece(cases.bins, cases.counts), "it is computed from the probabilities alone"
    numbers["expected_ece"] = {"value": chance, "low": np.nan, "high": np.nan, "no_interval": why}
    return numbers


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
        elif cases.target and name == "recall_rate":
            recalled = (aligned >= threshold).astype(np.float64)

            def rate(weights_Rn: Floats, recalled: Floats = recalled) -> Floats:
                weighted = weights_Rn * cases.counts
                return weighted @ recalled / weighted.sum(axis=1)

            spread = interval(rate, cases.patients, cases.replicates(method), method.seed)
            value, low, high = float(rate(np.ones((1, recalled.size)))[0]), spread.low, spread.high
            why = spread.reason
        numbers[name] = {"value": value, "low": low, "high": high, "k": found.k, "of": found.n, "no_interval": why}
    return numbers


def _text(number: Mapping[str, Any]) -> str:
    if np.isnan(number["value"]):
        return "undefined"
    limits = "" if np.isnan(number["low"]) else f" ({number['low']:.3f} to {number['high']:.3f})"
    return f"{number['value']:.3f}{limits}"
