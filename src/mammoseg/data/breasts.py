"""The label of a breast from those of its images: one rule for choosing epochs and for evaluation."""

import numpy as np
from numpy.typing import NDArray

_UNKNOWN = 1  # above a known negative, below a positive


def breast_labels(label_NK: NDArray[np.float64], breast_N: NDArray[np.integer]) -> NDArray[np.float64]:
    """(N, K) labels of images, 0, 1 or NaN, and the number of each image's breast from 0 on -> (breasts, K) labels.

    A breast is positive when one of its images is, negative when all of them are known to be, and else unknown (NaN).
    """
    rank_NK = np.where(np.isnan(label_NK), _UNKNOWN, 2 * label_NK)
    highest_BK = np.zeros((int(breast_N.max(initial=-1)) + 1, label_NK.shape[1]))
    np.maximum.at(highest_BK, breast_N, rank_NK)
    return np.where(highest_BK == _UNKNOWN, np.nan, highest_BK / 2)
