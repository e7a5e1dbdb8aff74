"""Average precision: the area under the precision-recall curve as a sum of steps.

    AP = sum over distinct scores, descending, of precision * (gain in recall)

Source   What the NYU papers call PRAUC: it gives the published figures of their reader study exactly, the trapezoid under
         the curve does not.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.statistics.ranking import Floats, weights_by_score

KIND = "scores"
TITLE = "Average precision"


def measure(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> Floats:
    """Average precision for every row of `weights` (R, n) -> (R,); NaN where the positives have no weight."""
    positives, negatives = (counts[:, ::-1] for counts in weights_by_score(labels, scores, weights))
    found = np.cumsum(positives, axis=1)
    called = found + np.cumsum(negatives, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    with np.errstate(invalid="ignore"):
        return (precision * positives).sum(axis=1) / positives.sum(axis=1)
