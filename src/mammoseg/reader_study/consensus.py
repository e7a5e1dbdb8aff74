"""What the readers decide together: a breast is recalled if more than half of them recall it.

A reader recalls a case with a score of the threshold or more. With an even number of readers a draw is no recall.

Source   Shen et al. 2021, Medical Image Analysis 68:101908, section 3.4 (GMIC): "consensus reading", a majority vote.

Shapes   R readers | n cases
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.statistics.ranking import Floats


def recalls(readers_RN: Floats, threshold: float) -> NDArray[np.bool_]:
    """Whether each reader recalls each case."""
    return readers_RN >= threshold


def majority(recalled_RN: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether more than half of the readers recall a case, (n,)."""
    return 2 * recalled_RN.sum(axis=0) > len(recalled_RN)
