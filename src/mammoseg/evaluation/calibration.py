"""Whether scores are right as probabilities, and whether it is worth acting on them: of breasts, as scores and calibrated.

    calibration   class -> source -> numbers, counts       in metrics.json
    sources       "final", the score as it is; "calibrated", where the predictions have a calibration

Where a calibration is for a population with another share of positives (`target_prevalence`), the cases of that class are weighted to
it, in both sources: `weighted_to` says so. It takes the place of the prevalence of these cases, as the calibration did.

Intervals are those of a bootstrap by patient, in which bins are held; those of the reliability curve and of the stored operating point,
whose threshold is held, too, are Wilson's by patient.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.calibration.bins import Binned, binned, brier_parts, expected_calibration_error, expected_ece
from mammoseg.calibration.decision import net_benefit, net_benefit_of_all, thresholds
from mammoseg.calibration.prior import case_weights, shifted
from mammoseg.calibration.recalibration import recalibration
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, NOT_PREDICTED, caution, score_column
from mammoseg.statistics.bootstrap import MIN_DEFINED, MIN_SHARE, Floats, interval, patient_weights
from mammoseg.statistics.operating import operating_point
from mammoseg.statistics.proportion import clustered_proportion

CALIBRATED = "calibrated"
"""Name of the probabilities of a calibration, beside that of the model's own score."""
ALL, NONE = "recall all", "recall none"
TITLES = {
    "brier": "Brier score",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
    "observed_to_expected": "Observed to expected",
    "ece": "Calibration error (ECE)",
}
"""What people look at first."""


@dataclass(frozen=True, eq=False)
class _Cases:
    """Breasts with a known label and a score, as probabilities of one source."""

    labels: Floats
    probabilities: Floats
    patients: Any
    counts: Floats
    """What each counts, so that their prevalence is the one that is wanted."""
    target: float | None
    bins: Binned

    @property
    def defined(self) -> bool:
        return 0 < self.labels.sum() < self.labels.size


def calibration_numbers(
    breasts: pd.DataFrame, classes: tuple[str, ...], method: Method, calibration: Calibration | None
) -> dict[str, Any]:
    """class -> source -> numbers, of the table of `breast_table`; what is undefined says why (`reason`).

    A class whose scores are no probabilities (beyond [0, 1]) has none.
    """
    tables: dict[str, Any] = {}
    for name in classes:
        tables[name] = {}
        for source, cases in _sources(breasts, name, calibration):
            counts = _counts(breasts, name, cases)
            numbers = _numbers(cases, method) if cases.defined else {}
            tables[name][source] = {**counts, **numbers}
            point = calibration.classes[name].point if calibration and source == CALIBRATED else None
            if point and calibration and cases.defined:
                aligned = calibration.aligned(
                    name, _known(breasts, name)[score_column(FINAL, name)].to_numpy(np.float64)
                )
                tables[name][source] |= {"threshold": point.threshold} | _at(cases, aligned, point.threshold, method)
    return tables


def reliability_table(
    breasts: pd.DataFrame, classes: tuple[str, ...], calibration: Calibration | None
) -> list[dict[str, Any]]:
    """A row for each bin: class, source, bin, n, positives, predicted (mean probability), observed with low and high."""
    rows = []
    for name in classes:
        for source, cases in _sources(breasts, name, calibration):
            if not cases.defined:
                continue
            weight, predicted, observed = (total[0] for total in cases.bins.totals(cases.counts[None]))
            for k, member in enumerate(cases.bins.member_nB.T == 1):
                share = clustered_proportion(cases.labels[member], cases.patients[member])
                low, high = (_moved(limit, cases) for limit in (share.low, share.high))
                about = {"class": name, "source": source, "bin": k + 1, "n": share.n, "positives": share.k}
                mean = {"predicted": predicted[k] / weight[k], "observed": observed[k] / weight[k]}
                rows.append({**about, **mean, "low": low, "high": high})
    return rows


def decision_table(
    breasts: pd.DataFrame, classes: tuple[str, ...], method: Method, calibration: Calibration | None
) -> list[dict[str, Any]]:
    """A row for each threshold and way to decide: class, source, threshold, net_benefit with low and high."""
    rows = []
    for name in classes:
        found = [(source, cases) for source, cases in _sources(breasts, name, calibration) if cases.defined]
        if not found:
            continue
        cases = found[0][1]
        at_T = thresholds(float(cases.counts @ cases.labels / cases.counts.sum()))
        ways: dict[str, Callable[[Floats], Floats]] = {
            source: lambda w, of=of, at_T=at_T: net_benefit(of.labels, of.probabilities, at_T, w * of.counts)
            for source, of in found
        }
        ways[ALL] = lambda w, of=cases, at_T=at_T: net_benefit_of_all(of.labels, at_T, w * of.counts)
        for source, way in ways.items():
            values, low, high = _band(way, cases, method)
            rows += [
                {"class": name, "source": source, "threshold": t, "net_benefit": v, "low": below, "high": above}
                for t, v, below, above in zip(at_T, values, low, high, strict=True)
            ]
        rows += [
            {"class": name, "source": NONE, "threshold": t, "net_benefit": 0.0, "low": 0.0, "high": 0.0} for t in at_T
        ]
    return rows


def calibration_table(tables: Mapping[str, Any]) -> list[dict[str, str]]:
    """The numbers that people look at first, as rows of text: class, of, those of TITLES."""
    return [
        {"class": name, "of": source, **{title: _text(numbers.get(key)) for key, title in TITLES.items()}}
        for name, sources in tables.items()
        for source, numbers in sources.items()
        if numbers["reason"] is None
    ]


def _known(breasts: pd.DataFrame, name: str) -> pd.DataFrame:
    return breasts[breasts[name].notna() & breasts[score_column(FINAL, name)].notna()]


def _sources(breasts: pd.DataFrame, name: str, calibration: Calibration | None) -> Iterator[tuple[str, _Cases]]:
    known = _known(breasts, name)
    labels, scores = (known[column].to_numpy(np.float64) for column in (name, score_column(FINAL, name)))
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        return
    of_class = calibration.classes.get(name) if calibration else None
    target = of_class.fit.target_prevalence if of_class else None
    positive, negative = case_weights(labels.mean(), target) if target and 0 < labels.sum() < labels.size else (1, 1)
    counts, patients = np.where(labels == 1, positive, negative), known["patient_id"].to_numpy(str)
    found = {FINAL: scores}
    if calibration and of_class:
        found[CALIBRATED] = calibration.probabilities(name, scores)
    for source, values in found.items():
        yield source, _Cases(labels, values, patients, counts, target, binned(labels, values))


def _counts(breasts: pd.DataFrame, name: str, cases: _Cases) -> dict[str, Any]:
    n, positives = cases.labels.size, int(cases.labels.sum())
    with_one, without = (len(set(cases.patients[cases.labels == side].tolist())) for side in (1, 0))
    scored = breasts[score_column(FINAL, name)].notna()
    missing = [side for side, count in (("positive", positives), ("negative", n - positives)) if count == 0]
    reason = f"no case with a {' and none with a '.join(missing)} label" if missing else None
    return {
        "level": "breast",
        "n": n,
        "positives": positives,
        "positive_patients": with_one,
        "negative_patients": without,
        "unknown": int(breasts[name].isna().sum()),
        "weighted_to": cases.target,
        "bins": cases.bins.member_nB.shape[1],
        "reason": NOT_PREDICTED if len(breasts) and not scored.any() else reason,
        "caution": None if missing else caution(with_one, without),
    }


def _numbers(cases: _Cases, method: Method) -> dict[str, Any]:
    def everything(weights_Rn: Floats) -> dict[str, Floats]:
        weighted = weights_Rn * cases.counts
        parts = brier_parts(cases.bins, weighted)
        ece = {"ece": expected_calibration_error(cases.bins, weighted)}
        return {**recalibration(cases.labels, cases.probabilities, weighted), **ece, **parts}

    values = everything(np.ones((1, cases.labels.size)))
    blocks: list[dict[str, Floats]] = []  # draws are the same for every number: all are computed once for each

    def first(weights_Rn: Floats) -> Floats:
        blocks.append(everything(weights_Rn))
        return blocks[-1][next(iter(values))]

    numbers: dict[str, Any] = {}
    for name, value in values.items():
        drawn = (block[name] for block in blocks)
        statistic = first if not numbers else lambda _, drawn=drawn: next(drawn)
        spread = interval(statistic, cases.patients, method.bootstrap, method.seed)
        numbers[name] = {
            "value": float(value[0]),
            "low": spread.low,
            "high": spread.high,
            "replicates_dropped": spread.dropped,
            "no_interval": None if np.isnan(value[0]) else spread.reason,
        }
    chance = expected_ece(cases.bins, cases.counts)
    why = "it is computed from the probabilities alone"
    numbers["expected_ece"] = {"value": chance, "low": np.nan, "high": np.nan, "no_interval": why}
    return numbers


def _at(cases: _Cases, aligned: Floats, threshold: float, method: Method) -> dict[str, Any]:
    """What the stored operating point does here."""
    point = operating_point(cases.labels, aligned, cases.patients, "given", threshold)
    numbers = {}
    for name, found in point.measures.items():
        value, low, high, why = found.value, found.low, found.high, found.reason
        if cases.target and name in ("ppv", "npv"):
            value, low, high = (_moved(limit, cases, name == "npv") for limit in (value, low, high))
        elif cases.target and name == "recall_rate":
            recalled = (aligned >= threshold).astype(np.float64)

            def rate(weights_Rn: Floats, recalled: Floats = recalled) -> Floats:
                weighted = weights_Rn * cases.counts
                return weighted @ recalled / weighted.sum(axis=1)

            spread = interval(rate, cases.patients, method.bootstrap, method.seed)
            value, low, high = float(rate(np.ones((1, recalled.size)))[0]), spread.low, spread.high
            why = spread.reason
        numbers[name] = {"value": value, "low": low, "high": high, "k": found.k, "of": found.n, "no_interval": why}
    return numbers


def _moved(share: float, cases: _Cases, of_negatives: bool = False) -> float:
    """A share of positives (or of negatives) among some of the cases, as it is where the prevalence is the one that is wanted."""
    if not cases.target:
        return share
    found = float(cases.labels.mean())
    positives = 1 - share if of_negatives else share
    moved = float(shifted(np.array(positives), found, cases.target))
    return 1 - moved if of_negatives else moved


def _band(way: Callable[[Floats], Floats], cases: _Cases, method: Method) -> tuple[Floats, Floats, Floats]:
    """Values (T,) and pointwise 95 % limits; NaN where there are too few replicates, as for `interval`."""
    values = way(np.ones((1, cases.labels.size)))[0]
    alone = len(set(cases.patients.tolist())) < 2
    drawn = [way(w) for w in patient_weights(cases.patients, 0 if alone else method.bootstrap, method.seed)]
    defined = np.concatenate(drawn) if drawn else np.empty((0, values.size))
    defined = defined[~np.isnan(defined).any(axis=1)]
    if len(defined) < max(MIN_DEFINED, MIN_SHARE * method.bootstrap):
        return values, np.full(values.size, np.nan), np.full(values.size, np.nan)
    low, high = np.percentile(defined, [2.5, 97.5], axis=0)
    return values, low, high


def _text(number: Mapping[str, Any] | None) -> str:
    if number is None or number["value"] is None or np.isnan(number["value"]):
        return "undefined"
    has = number["low"] is not None and not np.isnan(number["low"])
    return f"{number['value']:.3f}" + (f" ({number['low']:.3f} to {number['high']:.3f})" if has else "")
