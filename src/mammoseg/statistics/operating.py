"""An operating point: a threshold, how it is chosen, and what the test does there.

A case is called when its score is at least the threshold. The threshold is one of the scores, a point of the ROC curve:

    sensitivity    the highest at which the sensitivity reaches the target
    specificity    the lowest at which the specificity reaches the target
    recall_rate    the lowest at which not more than the target's share of all cases is called
    given          the target itself

Where not even the highest score will do, the threshold lies just above it, and nobody is called.

Intervals hold the threshold fixed (methods of `proportion`, by patient) or choose it again in every bootstrap replicate
("bootstrap"). Hold it where it was fixed before these cases were seen: then nothing else is uncertain. Choose it again
where it was found on these cases: the sensitivity is then near its target by choice, and what varies from sample to sample is
the specificity at that sensitivity; a threshold held fixed would hide that.

PPV and NPV are those of these cases: with more cancers than in the clinic, PPV is too high and NPV too low.

Source   Pepe 2003, ch. 2 and 4; Platt, Hanley and Yang 2000 (the threshold chosen again in the bootstrap).
Shapes   n cases | R replicates | D distinct scores
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.statistics.bootstrap import affordable, interval_from, patient_weights
from mammoseg.statistics.clusters import Floats, Patients
from mammoseg.statistics.proportion import Proportion, clustered_proportion
from mammoseg.statistics.ranking import checked, weights_by_score

RULES = ("sensitivity", "specificity", "recall_rate", "given")
MEASURES = ("sensitivity", "specificity", "recall_rate", "ppv", "npv")


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and the five measures at it."""

    rule: str
    target: float
    threshold: float
    """NaN where none could be chosen (no positive, no negative, no case)."""
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    measures: Mapping[str, Proportion]
    """Name of MEASURES -> value, interval, k of n."""


def operating_point(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: Patients,
    rule: str,
    target: float,
    method: str = "wilson",
    replicates: int = 1000,
    seed: int = 0,
) -> OperatingPoint:
    """Labels and scores (n,) at the threshold that `rule` and `target` choose.

    `method` is one of `proportion.METHODS`, for a threshold held fixed, or "bootstrap", for one chosen again in each of
    `replicates` draws of the patients. ValueError for an unknown rule or method, a target outside [0, 1] (a given
    threshold may be any number), and for cases that `checked` refuses.
    """
    truth, table = checked(labels, scores)
    cut = threshold(truth, table[0], rule, target)
    called, positive = table[0] >= cut, truth == 1
    who = np.asarray(patients)
    of = {
        "sensitivity": (called, positive),
        "specificity": (~called, ~positive),
        "recall_rate": (called, np.ones_like(called)),
        "ppv": (positive, called),
        "npv": (~positive, ~called),
    }
    if np.isnan(cut):
        nothing = Proportion(cut, cut, cut, 0, 0, method, "no threshold: a class has no case")
        return OperatingPoint(rule, target, cut, 0, 0, 0, 0, dict.fromkeys(MEASURES, nothing))
    if method == "bootstrap":
        measures = _bootstrapped(truth, table[0], who, rule, target, of, replicates, seed)
    else:
        measures = {name: clustered_proportion(yes[among], who[among], method) for name, (yes, among) in of.items()}
    sides = ((called, positive), (called, ~positive), (~called, ~positive), (~called, positive))
    tp, fp, tn, fn = (int((decided & side).sum()) for decided, side in sides)
    return OperatingPoint(rule, target, cut, tp, fp, tn, fn, measures)


def threshold(labels: ArrayLike, scores: ArrayLike, rule: str, target: float) -> float:
    """The threshold that a rule chooses; NaN where the cases it speaks of are missing."""
    truth, table = checked(labels, scores)
    _known(rule, target)
    if rule == "given":
        return float(target)
    distinct = np.unique(table[0])
    place = _places(*weights_by_score(truth, table[0], np.ones((1, truth.size))), rule, target)[0]
    if place < 0:
        return float("nan")
    return float(distinct[place]) if place < distinct.size else float(np.nextafter(distinct[-1], np.inf))


def measures_at(
    labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number], rule: str, target: float
) -> dict[str, Floats]:
    """The five measures (R,) for every row of weights (R, n), the threshold chosen for each; NaN where undefined."""
    truth, table = checked(labels, scores)
    _known(rule, target)
    positives, negatives = weights_by_score(truth, table[0], weights)
    if rule == "given":
        place = np.full(len(weights), np.searchsorted(np.unique(table[0]), target))
    else:
        place = _places(positives, negatives, rule, target)
    tp, fp = (_from(side, place) for side in (positives, negatives))
    total_p, total_n = positives.sum(axis=1), negatives.sum(axis=1)
    total, called = total_p + total_n, tp + fp
    with np.errstate(invalid="ignore"):
        found = [tp / total_p, (total_n - fp) / total_n, called / total, tp / called, (total_n - fp) / (total - called)]
    return {name: np.where(place < 0, np.nan, values) for name, values in zip(MEASURES, found, strict=True)}


def _places(positives: Floats, negatives: Floats, rule: str, target: float) -> NDArray[np.intp]:
    """Which of the D distinct scores, ascending, is the threshold (R,); D: above them all; -1: none can be told."""
    counted = {"sensitivity": positives, "specificity": negatives, "recall_rate": positives + negatives}[rule]
    total = counted.sum(axis=1, keepdims=True)
    below = np.cumsum(counted, axis=1) - counted
    rounding = 1e-9 * total  # 0.9 * 10 is not quite 9
    if rule == "sensitivity":
        place = np.count_nonzero(total - below >= target * total - rounding, axis=1) - 1
        place = np.maximum(place, 0)
    else:
        least = target if rule == "specificity" else 1 - target
        place = np.count_nonzero(below < least * total - rounding, axis=1)
    return np.where(total[:, 0] > 0, place, -1)


def _from(counted: Floats, place: NDArray[np.intp]) -> Floats:
    """Weight at the distinct score `place` and above (R,)."""
    above = np.cumsum(counted[:, ::-1], axis=1)[:, ::-1]
    above = np.concatenate([above, np.zeros((len(above), 1))], axis=1)
    return above[np.arange(len(above)), place]


def _bootstrapped(
    truth: Floats,
    scores: Floats,
    patients: NDArray[np.generic],
    rule: str,
    target: float,
    of: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    replicates: int,
    seed: int,
) -> dict[str, Proportion]:
    """Of every measure (what counts, among what): the intervals of one run of replicates, on the logit scale."""
    blocks = patient_weights(patients, affordable(replicates, truth.size), seed)
    drawn = [measures_at(truth, scores, weights, rule, target) for weights in blocks]
    units = min(np.unique(patients[truth == side]).size for side in (0, 1))
    measures = {}
    for name, (yes, among) in of.items():
        k, n = int((yes & among).sum()), int(among.sum())
        value = k / n if n else float("nan")
        values = np.concatenate([block[name] for block in drawn]) if drawn else np.empty(0)
        found = interval_from(values, units, "logit", value, replicates > 0)
        reason = found.reason if n else "no case"
        measures[name] = Proportion(value, found.low, found.high, k, n, "bootstrap by patient", reason)
    return measures


def _known(rule: str, target: float) -> None:
    if rule not in RULES:
        raise ValueError(f"operating point: rule {rule!r}; expected one of {', '.join(RULES)}. Name one of these.")
    if not (np.isfinite(target) and (rule == "given" or 0 <= target <= 1)):
        expected = "a number" if rule == "given" else "a share from 0 to 1"
        raise ValueError(f"operating point: {rule} of {target}; expected {expected}. Give 0.9 for 90 %.")
