"""PxAP: average precision over the pixels of one image.

    PxAP = sum over thresholds l, descending, of P(l) * (R(l) - R(l-1)),   called pixels = {S >= threshold}

Source   Choe et al. 2020 (arXiv:2001.07437), eq. 3; per image and averaged over images as in GMIC and GLAM.
Deviates Every level is a threshold instead of 1000 bins, so the value is exact, depends on ranks only, and needs no
         scaling of the map. An empty mask gives NaN (undefined).
Units    counts are pixels per level, level ascending with saliency; PxAP is a fraction, not percent
"""

import numpy as np

from mammoseg.statistics.histogram import MapOnMask

KIND = "maps"
TITLE = "PxAP"


def measure(image: MapOnMask) -> float:
    """The PxAP of one map, in (0, 1]; NaN when the mask is empty.

    A map without information (constant, random) is expected at the lesion's share of the image.
    """
    inside, outside = image.histograms
    lesion = int(inside.sum())
    if lesion == 0:
        return float("nan")
    hits, misses = inside[::-1], outside[::-1]
    found = np.cumsum(hits)
    called = found + np.cumsum(misses)
    gains = hits > 0
    return float(np.sum(found[gains] / called[gains] * hits[gains]) / lesion)
