"""Dice overlap of a saliency map S with a lesion mask M, in the four readings of "Dice" for a map that is not binary.

    soft     2 sum(S M) / (sum(S^2) + sum(M^2))     the default
    linear   2 sum(S M) / (sum(S) + sum(M))
    half     2 |P and M| / (|P| + |M|) with P = {S >= 0.5}
    best     the same with the threshold that is best for this one image (looks at the mask: an upper bound)

Source   The GMIC and GLAM papers give no formula. Their row for random maps tells the readings apart, and only `soft`
         comes near it, so `soft` is our default.
Deviates An empty mask gives NaN (undefined), never 0 or 1.
Units    counts are pixels per level; level k of n stands for the probability k / (n - 1)
"""

import numpy as np

from mammoseg.statistics.histogram import MapOnMask

KIND = "maps"
TITLE = "Dice"
_VARIANTS = ("soft", "linear", "half", "best")


def measure(image: MapOnMask) -> dict[str, float]:
    """Name of each reading -> Dice of one map, in [0, 1]; all are NaN when the mask is empty."""
    inside, outside = image.histograms
    lesion = int(inside.sum())
    if lesion == 0:
        return dict.fromkeys(_VARIANTS, float("nan"))
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
