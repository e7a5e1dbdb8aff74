"""The operating point that is stored with a calibration: which threshold, and what was found there.

Sensitivity and specificity do not depend on how many cancers there are; recall rate, PPV and NPV do. With a prevalence t, all
three are those of a population with this share of positives, by Bayes' rule from the sensitivity and specificity of the cases:

    recall = t se + (1 - t)(1 - sp)      PPV = t se / recall      NPV = (1 - t) sp / (1 - recall)

and a recall rate is aimed at there, too: in cases with every third positive, 10 % recalled are a few percent of a screening.

Source   Pepe 2003, ch. 2. Thresholds and intervals: statistics/operating.py, the threshold chosen again in every replicate.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mammoseg.calibration.prior import weighted_to
from mammoseg.calibration.stored import CalibrationError, Number, Point, Rule
from mammoseg.statistics.bootstrap import affordable, interval_from, patient_weights
from mammoseg.statistics.clusters import Patients
from mammoseg.statistics.operating import measures_at, threshold

Floats = NDArray[np.float64]

RULES: Mapping[Rule, str] = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "recall_rate": "recall_rate",
    "threshold": "given",
}
"""What users call a rule -> what statistics/operating.py calls it."""


def read_rule(text: str) -> tuple[Rule, float]:
    """`sensitivity=0.9` -> rule and target. Raises CalibrationError for anything else."""
    name, _, number = text.partition("=")
    rule = next((known for known in RULES if known == name.strip()), None)
    try:
        target = float(number)
    except ValueError:
        target = float("nan")
    if rule is None or not 0 <= target <= 1:
        raise CalibrationError(
            f"--at {text[:80]!r}: expected a rule and a share, such as sensitivity=0.9; rules are {', '.join(RULES)}."
        )
    return rule, target


def choose(
    labels: Floats,
    scores: Floats,
    patients: Patients,
    rule: Rule,
    target: float,
    prevalence: float | None,
    replicates: int = 1000,
) -> Point:
    """The point of breasts (n,) with labels 0 or 1 and scores in [0, 1], of which there are both.

    `prevalence`: share of positives for which recall rate, PPV and NPV are told; None: that of these breasts. Target and
    threshold are about scores.
    """

    def measured(weights_Rn: Floats) -> dict[str, Floats]:
        return measures_at(labels, scores, weighted_to(labels, weights_Rn, prevalence), RULES[rule], target)

    drawn = [measured(weights) for weights in patient_weights(patients, affordable(replicates, labels.size), 0)]
    units = min(len(set(np.asarray(patients)[labels == side].tolist())) for side in (0, 1))
    found = {}
    for name, (value,) in measured(np.ones((1, labels.size))).items():
        spread = interval_from(np.concatenate([np.empty(0), *(block[name] for block in drawn)]), units, "logit", value)
        found[name] = Number(value=_known(value), low=_known(spread.low), high=_known(spread.high))
    if rule == "recall_rate":
        chosen = _at_recall(scores, weighted_to(labels, np.ones((1, labels.size)), prevalence)[0], target)
    else:
        chosen = threshold(labels, scores, RULES[rule], target)
    return Point(rule=rule, target=target, threshold=chosen, found=found, prevalence=prevalence)


def _at_recall(scores: Floats, counts_n: Floats, target: float) -> float:
    """The lowest score from which on not more than the target's share of the weight lies; just above all where none will do."""
    distinct, place = np.unique(scores, return_inverse=True)
    above = np.cumsum(np.bincount(place, counts_n)[::-1])[::-1] / counts_n.sum()
    enough = np.flatnonzero(above <= target + 1e-9)
    return float(distinct[enough[0]]) if enough.size else float(np.nextafter(distinct[-1], np.inf))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(min(max(value, 0.0), 1.0))
