"""Cases in the order of their scores: what metrics of a ranking count, for many reweighted copies of the data at once.

Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def weights_by_score(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> tuple[Floats, Floats]:
    """Weight of the positives and of the negatives at each distinct score, ascending: twice (R, distinct).

    `labels` (n,) are 0 or 1, `scores` (n,) any finite numbers, `weights` (R, n) how often each case counts. Raises ValueError
    for other labels (leave unknown cases out first), for scores that are not finite, and for shapes that do not fit.
    """
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
