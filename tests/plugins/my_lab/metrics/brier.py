"""Brier score: mean squared distance of the scores from the labels; 0 is best."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KIND = "scores"
TITLE = "Brier score"


def measure(labels: Floats, scores: Floats, weights: Floats) -> Floats:
    """NaN for a row of `weights` without any case."""
    with np.errstate(invalid="ignore"):
        return weights @ (scores - labels) ** 2 / weights.sum(axis=1)
