"""Models together: weighted means of their scores, over all weights of a grid on the simplex.

Equal weights, chosen before any data are seen, are as good as they look; the best weights of the grid are chosen on the cases that
they are judged on. The grid is the finest of 1/100, 1/50, 1/20, 1/10, 1/5, 1/2 and 1 with at most MOST combinations.

Source   Shen et al. 2021, Medical Image Analysis 68:101908 (GMIC): "super-ensemble" of GMIC, DMV-CNN and Faster R-CNN.

Shapes   P combinations | M models | n cases
"""

from itertools import combinations
from math import comb

import numpy as np

from mammoseg.reader_study.mrmc.merit import FigureOfMerit
from mammoseg.statistics.ranking import Floats

MOST = 6000
PARTS = (100, 50, 20, 10, 5, 2, 1)


def simplex(models: int) -> Floats:
    """Weights (P, M) that are not negative and sum to 1."""
    parts = next(p for p in PARTS if comb(p + models - 1, models - 1) <= MOST or p == 1)
    chosen = list(combinations(range(parts + models - 1), models - 1))
    bars = np.array(chosen, dtype=np.int64).reshape(len(chosen), models - 1)
    ends = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), parts + models - 1)])
    return (np.diff(ends, axis=1) - 1) / parts


def merits(merit: FigureOfMerit, labels: Floats, models_MN: Floats, weights_PM: Floats) -> Floats:
    """The merit of each combination, (P,)."""
    once = np.ones((1, labels.size))
    return np.array([merit(labels, weights @ models_MN, once)[0] for weights in weights_PM])
