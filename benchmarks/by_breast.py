"""AUC(malignant) of breasts, with 95 % intervals over patients."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.metrics.auc import measure as auc
from mammoseg.statistics.bootstrap import Statistic, interval

REPLICATES = 2000
SCORE = "score_final_malignant"


def auc_of(breasts: pd.DataFrame) -> str:
    """AUC(malignant) with its interval over patients."""
    labels, scores = breasts["malignant"].to_numpy(), breasts[SCORE].to_numpy()
    return with_interval(lambda w: auc(labels, scores, w), breasts["patient_id"].tolist())


def auc_within(labels: NDArray, scores: NDArray, strata: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """AUC over the pairs of breasts of the same stratum."""
    won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for stratum in np.unique(strata):
        of = strata == stratum
        count = (weights[:, of] * labels[of]).sum(1) * (weights[:, of] * (1 - labels[of])).sum(1)
        won += np.nan_to_num(auc(labels[of], scores[of], weights[:, of])) * count
        pairs += count
    return won / pairs


def with_interval(statistic: Statistic, patients: Sequence[str]) -> str:
    """Its value and interval, as text."""
    found = interval(statistic, patients, REPLICATES, seed=0)
    return f"{statistic(np.ones((1, len(patients))))[0]:.3f} ({found.low:.3f} to {found.high:.3f})"
