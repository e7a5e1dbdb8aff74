"""PxAP: average precision over the pixels of one image.

    PxAP = sum over thresholds l, descending, of P(l) * (R(l) - R(l-1)),   called pixels = {S >= threshold}

Source   Choe et al. 2020 (arXiv:2001.07437), eq. 3; per image and averaged over images as in GMIC and GLAM. That over the pixels
         of all images together, as there, is beside it in the results (evaluation/pooled.py).
Deviates Every level is a threshold instead of 1000 bins, so the value is exact, depends on ranks only, and needs no
         scaling of the map. An empty mask gives NaN (undefined).
Units    PxAP is a fraction, not percent
"""

from mammoseg.statistics.histogram import MapOnMask, average_precision

KIND = "maps"
TITLE = "PxAP"


def measure(image: MapOnMask) -> float:
    """The PxAP of one map, in (0, 1]; NaN when the mask is empty.

    A map without information (constant, random) is expected at the lesion's share of the image.
    """
    return float(average_precision(*image.histograms))
