"""Area under the ROC curve and average precision, for one data set or for many reweighted copies of it at once.

    AUC = P(score of a positive > score of a negative) + P(equal) / 2      (Mann-Whitney)
    AP  = sum over distinct scores, descending, of precision * (gain in recall)

Weights are how often each case counts: a bootstrap replicate is a row of counts. All replicates share one sort.

Source   Hanley and McNeil 1982 for AUC. Average precision is what the NYU papers call PRAUC: it gives the published
         figures of their reader study exactly, the trapezoid under the precision-recall curve does not.
Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve; labels (n,) are 0 or 1, scores (n,) any finite numbers. NaN when a class is missing.

    Raises ValueError for other labels (leave unknown cases out first) and for scores that are not finite.
    """
    return float(weighted_roc_auc(labels, scores, np.ones((1, np.size(labels))))[0])


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Average precision; arguments and errors as for `roc_auc`. NaN when there is no positive."""
    return float(weighted_average_precision(labels, scores, np.ones((1, np.size(labels))))[0])


def weighted_roc_auc(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> Floats:
    """AUC for every row of `weights` (R, n), which are not negative -> (R,); NaN where a class has no weight."""
    positives, negatives = _by_score(labels, scores, weights)
    below = np.cumsum(negatives, axis=1) - negatives
    won = (positives * (below + negatives / 2)).sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we want
        return won / (positives.sum(axis=1) * negatives.sum(axis=1))


def weighted_average_precision(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> Floats:
    """Average precision for every row of `weights` (R, n) -> (R,); NaN where the positives have no weight."""
    positives, negatives = (counts[:, ::-1] for counts in _by_score(labels, scores, weights))
    found = np.cumsum(positives, axis=1)
    called = found + np.cumsum(negatives, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    with np.errstate(invalid="ignore"):
        return (precision * positives).sum(axis=1) / positives.sum(axis=1)


def _by_score(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> tuple[Floats, Floats]:
    """Weight of the positives and of the negatives at each distinct score, ascending: twice (R, distinct)."""
    truth, values = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or values.shape != truth.shape or weights.shape[1:] != truth.shape:
        raise ValueError(
            f"ranking metric: labels {truth.shape}, scores {values.shape} and weights {weights.shape} do not belong "
            f"together; expected (n,), (n,) and (replicates, n). Pass one label and one score for each case."
        )
    if wrong := int(np.count_nonzero((truth != 0) & (truth != 1))):
        raise ValueError(
            f"ranking metric: {wrong} of {truth.size} labels are neither 0 nor 1. An unknown label is not a negative: "
            f"leave these cases out and count them."
        )
    if wrong := int(np.count_nonzero(~np.isfinite(values))):
        raise ValueError(
            f"ranking metric: {wrong} of {values.size} scores are not finite numbers, expected probabilities. "
            f"Leave these cases out and count them as failed."
        )
    if truth.size == 0:
        return np.zeros((len(weights), 0)), np.zeros((len(weights), 0))
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    sorted_weights = np.asarray(weights, dtype=np.float64)[:, order]
    total = np.add.reduceat(sorted_weights, starts, axis=1)
    positives = np.add.reduceat(sorted_weights * truth[order], starts, axis=1)
    return positives, total - positives
