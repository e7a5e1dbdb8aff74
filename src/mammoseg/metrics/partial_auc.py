"""Partial AUC: the area under the ROC curve where the false positive rate is at most 0.1, scaled to 0.5 (chance) and 1 (perfect).

    A      = area under the curve, straight between its points, from a false positive rate of 0 to f = 0.1
    pAUC   = (1 + (A - f^2 / 2) / (f - f^2 / 2)) / 2

In screening, few more than a tenth of the women can be recalled: what the curve does further right is never used there.

Source   McClish 1989 (Medical Decision Making 9:190), with her scaling. f: BI-RADS asks of screening programmes to recall 5 to
         12 % (Lehman et al. 2017, Radiology 283:49).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.statistics.ranking import Floats, weights_by_score

KIND = "scores"
TITLE = "Partial AUC"

LIMIT = 0.1
"""Highest false positive rate that counts."""


def measure(labels: ArrayLike, scores: ArrayLike, weights: NDArray[np.number]) -> Floats:
    """Partial AUC for every row of `weights` (R, n) -> (R,), in [0.47, 1]; NaN where a class has no weight."""
    positives, negatives = (counts[:, ::-1] for counts in weights_by_score(labels, scores, weights))
    total_p, total_n = positives.sum(axis=1), negatives.sum(axis=1)
    with np.errstate(invalid="ignore"):
        x = np.cumsum(negatives, axis=1) / total_n[:, None]
        used = int(np.count_nonzero(x < LIMIT, axis=1).max(initial=0)) + 1  # columns that any replicate needs
        x, rise = x[:, :used], positives[:, :used] / total_p[:, None]
        before = np.cumsum(rise, axis=1) - rise
        step = np.diff(x, axis=1, prepend=0)
        width = np.diff(np.minimum(x, LIMIT), axis=1, prepend=0)
        inside = np.divide(width, step, out=np.zeros_like(width), where=step > 0)
        area = (width * (before + inside * rise / 2)).sum(axis=1)
        area = np.where((total_p > 0) & (total_n > 0), area, np.nan)
    triangle = LIMIT**2 / 2
    return (1 + (area - triangle) / (LIMIT - triangle)) / 2
