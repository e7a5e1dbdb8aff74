"""The share of images with a lesion whose highest mark lies in one; of equal marks the one beside it counts."""

import numpy as np

from mammoseg.statistics.froc import Marked
from mammoseg.statistics.ranking import Floats

KIND = "marks"
TITLE = "First mark in the lesion"


def measure(marked: Marked, weights: Floats) -> Floats:
    """NaN for a row of `weights` (R, n) without an image with a lesion."""
    found, false = np.full((2, marked.normal.size), -np.inf)
    np.maximum.at(found, marked.lesion_image, marked.lesion_rating)
    np.maximum.at(false, marked.false_image, marked.false_rating)
    counted = weights[:, ~marked.normal]
    with np.errstate(invalid="ignore"):
        return counted @ (found > false)[~marked.normal] / counted.sum(axis=1)
