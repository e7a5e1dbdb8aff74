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
from mammoseg.calibration.prior import case_weights, shifted
from mammoseg.calibration.stored import Calibration
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import FINAL, score_column

Floats = NDArray[np.float64]

CALIBRATED = "calibrated"
"""Name of the probabilities of a calibration, beside that of the model's own score."""
_MOST_DRAWN = 10**8
"""Cases drawn in all replicates together: of 100,000 cases or more there are fewer replicates, but not below 100."""


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
        found = float(self.labels.mean())
        return share if self.target is None else float(shifted(np.array(share), found, self.target))

    def replicates(self, method: Method) -> int:
        """How many to draw; none of one patient alone."""
        alone = len(set(self.patients.tolist())) < 2
        return 0 if alone else min(method.bootstrap, max(100, _MOST_DRAWN // self.labels.size))


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
    positive, negative = case_weights(float(labels.mean()), target) if target and both else (1.0, 1.0)
    counts, patients = np.where(labels == 1, positive, negative), known["patient_id"].to_numpy(str)
    found = {FINAL: scores}
    if calibration and of_class:
        found[CALIBRATED] = calibration.probabilities(name, scores)
    for source, values in found.items():
        yield Cases(source, labels, scores, values, patients, counts, target, binned(labels, values))
