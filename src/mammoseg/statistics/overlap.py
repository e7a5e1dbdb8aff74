"""Dice of a map and a mask in four readings, from the map's histograms: what Dice and its relatives are made of.

    soft     2 sum(S M) / (sum(S^2) + sum(M^2))
    linear   2 sum(S M) / (sum(S) + sum(M))
    half     2 |P and M| / (|P| + |M|) with P = {S >= 0.5}
    best     the same with the threshold that is best for this one image

Units    counts are pixels per level; level k of n stands for the probability k / (n - 1)
"""

import numpy as np

from mammoseg.statistics.histogram import MapOnMask

READINGS = ("soft", "linear", "half", "best")


def dice_readings(image: MapOnMask) -> dict[str, float]:
    """Name of each reading -> Dice of one map, in [0, 1]; all are NaN when the mask is empty."""
    inside, outside = image.histograms
    lesion = int(inside.sum())
    if lesion == 0:
        return dict.fromkeys(READINGS, float("nan"))
    total = inside + outside
    saliency = np.arange(total.size) / (total.size - 1)
    overlap = float(inside @ saliency)
    # Entry k of `thresholded` is the Dice of the pixels at level k or above.
    found, called = (np.cumsum(counts[::-1])[::-1] for counts in (inside, total))
    thresholded = 2 * found / (called + lesion)
    return {
        "soft": 2 * overlap / (float(total @ saliency**2) + lesion),
        "linear": 2 * overlap / (float(total @ saliency) + lesion),
        "half": float(thresholded[total.size // 2]),  # the first level that is not below 0.5
        "best": float(thresholded.max()),
    }
