"""Cases in the order of their scores: what metrics of a ranking count, for many reweighted copies of the data at once.

Shapes   n cases | R replicates
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def checked(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """Labels (n,) and scores (M, n); one row of scores (n,) becomes (1, n).

    Raises ValueError for labels that are not 0 or 1 (leave unknown cases out first), for scores that are not finite, and for
    shapes that do not fit.
    """
    truth, given = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    table = np.atleast_2d(given) if given.size or given.ndim == 2 else given.reshape(1, 0)
    if truth.ndim != 1 or table.shape[1:] != truth.shape:
        raise ValueError(
            f"ranking: labels {truth.shape} and scores {given.shape} do not belong together; expected (n,), and (n,) or "
            f"(scores, n). Pass one label and one score for each case."
        )
    if wrong := int(np.count_nonzero((truth != 0) & (truth != 1))):
        raise ValueError(
            f"ranking: {wrong} of {truth.size} labels are neither 0 nor 1. An unknown label is not a negative: "
            f"leave these cases out and count them."
        )
    if wrong := int(np.count_nonzero(~np.isfinite(table))):
        raise ValueError(
            f"ranking: {wrong} of {table.size} scores are not finite numbers, expected probabilities. "
            f"Leave these cases out and count them as failed."
        )
    return truth, table


def weights_by_score(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> tuple[Floats, Floats]:
    """Weight of the positives and of the negatives at each distinct score, ascending: twice (R, distinct).

    `labels` (n,) are 0 or 1, `scores` (n,) any finite numbers, `weights` (R, n) how often each case counts. Raises ValueError
    as `checked` does.
    """
    truth, table = checked(labels, scores)
    values = table[0]
    if len(table) != 1 or weights.shape[1:] != truth.shape:
        raise ValueError(
            f"ranking: labels {truth.shape}, scores {table.shape} and weights {weights.shape} do not belong together; "
            f"expected (n,), (n,) and (replicates, n). Pass one label and one score for each case."
        )
    if truth.size == 0:
        return np.zeros((len(weights), 0)), np.zeros((len(weights), 0))
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    total = np.asarray(weights, dtype=np.float64)
    if not np.array_equal(order, np.arange(order.size)):  # the bootstrap has them sorted
        total = total[:, order]
    positives = total * truth[order]
    if starts.size < order.size:
        total, positives = (np.add.reduceat(each, starts, axis=1) for each in (total, positives))
    return positives, total - positives
