"""Area under the ROC curve.

    AUC = P(score of a positive > score of a negative) + P(equal) / 2      (Mann-Whitney)

Source   Hanley and McNeil 1982.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.statistics.ranking import Floats, weights_by_score

KIND = "scores"
TITLE = "AUC"
SCALE = "logit"


def measure(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> Floats:
    """AUC for every row of `weights` (R, n), which are not negative -> (R,); NaN where a class has no weight."""
    positives, negatives = weights_by_score(labels, scores, weights)
    below = np.cumsum(negatives, axis=1) - negatives
    won = (positives * (below + negatives / 2)).sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we want
        return won / (positives.sum(axis=1) * negatives.sum(axis=1))


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """AUC of cases (n,) that count once each; NaN when a class is missing."""
    return float(measure(labels, scores, np.ones((1, np.size(labels))))[0])
