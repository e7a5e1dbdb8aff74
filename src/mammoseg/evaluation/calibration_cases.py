"""Breasts as calibration looks at them: labels, and the probabilities of each source, weighted to the prevalence that they are for.

Where a calibration is for a population with another share of positives (`Fit.target_prevalence`), the cases of that class are
weighted to it, in both sources: it takes the place of the prevalence of these cases, as the calibration did. Net benefit and the
share of positives in a bin are then those of the population.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.calibration.bins import Binned, binned
from mammoseg.calibration.prior import shifted, weighted_to
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.statistics.bootstrap import affordable, patient_weights

Floats = NDArray[np.float64]

CALIBRATED = "calibrated"
"""Name of the probabilities of a calibration, beside that of the model's own score."""


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases (n,) with a known label and a score, as probabilities of one source."""

    source: str
    labels: Floats
    scores: Floats
    """The scores that the probabilities are made of."""
    probabilities: Floats
    patients: NDArray[Any]
    counts: Floats
    """What each counts, so that their prevalence is the one that is wanted; 1 unless there is a target."""
    target: float | None
    bins: Binned

    @property
    def defined(self) -> bool:
        """Whether there are both classes."""
        return 0 < self.labels.sum() < self.labels.size

    @property
    def prevalence(self) -> float:
        """The share of positives that numbers are about."""
        return float(self.counts @ self.labels / self.counts.sum())

    def moved(self, share: float) -> float:
        """A share of positives among some of the cases, as it is where the prevalence is the one that is wanted."""
        if self.target is None or not self.defined:
            return share
        return float(shifted(np.array(share), float(self.labels.mean()), self.target))

    @property
    def sides(self) -> tuple[int, int]:
        """Patients with a positive case, and with a negative one; some have both."""
        with_one, without = (len(set(self.patients[self.labels == side].tolist())) for side in (1, 0))
        return with_one, without

    def draws(self, method: Method) -> Iterator[Floats]:
        """Weights (r, n) of the replicates, block by block; none of one patient alone."""
        alone = len(set(self.patients.tolist())) < 2
        count = 0 if alone else affordable(method.bootstrap, self.labels.size)
        drawn = patient_weights(self.patients, count, method.seed)
        return (weighted_to(self.labels, weights_Rn, self.target) for weights_Rn in drawn)


def sources_of(table: pd.DataFrame, name: str, calibration: Calibration | None) -> Iterator[Cases]:
    """The final score of a class, and what `calibration` makes of it; nothing for scores beyond [0, 1], which are no probabilities.

    `table` as that of `breast_table`; with a calibration its rows are breasts.
    """
    known = table[table[name].notna() & table[score_column(FINAL, name)].notna()]
    labels, scores = (known[column].to_numpy(np.float64) for column in (name, score_column(FINAL, name)))
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        return
    of_class = calibration.classes.get(name) if calibration else None
    target = of_class.fit.target_prevalence if of_class else None
    both = 0 < labels.sum() < labels.size
    counts = weighted_to(labels, np.ones((1, labels.size)), target if both else None)[0]
    patients = known["patient_id"].to_numpy(str)
    found = {FINAL: scores}
    if calibration and of_class:
        found[CALIBRATED] = calibration.probabilities(name, scores)
    for source, values in found.items():
        yield Cases(source, labels, scores, values, patients, counts, target, binned(labels, values))
