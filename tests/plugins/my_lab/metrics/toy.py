"""Pointing game: whether the highest pixel of a map lies in the lesion. 1 or 0 for an image, so the mean is the share of hits.

Source   Zhang et al. 2018, International Journal of Computer Vision 126.
"""

import numpy as np

from mammoseg.statistics.histogram import MapOnMask

KIND = "maps"
TITLE = "Pointing game"


def measure(image: MapOnMask) -> float:
    """NaN for an empty mask; of several highest pixels the first counts."""
    if not image.mask_HW.any():
        return float("nan")
    return float(image.mask_HW.ravel()[np.argmax(image.levels_HW)])
