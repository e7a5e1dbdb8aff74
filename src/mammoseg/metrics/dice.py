"""Dice overlap of a saliency map S with a lesion mask M, in the four readings of "Dice" for a map that is not binary.

    soft     2 sum(S M) / (sum(S^2) + sum(M^2))     the default
    linear   2 sum(S M) / (sum(S) + sum(M))
    half     2 |P and M| / (|P| + |M|) with P = {S >= 0.5}
    best     the same with the threshold that is best for this one image (looks at the mask: an upper bound)

Source   The GMIC and GLAM papers give no formula. Their row for random maps tells the readings apart, and only `soft`
         comes near it, so `soft` is our default.
Deviates An empty mask gives NaN (undefined), never 0 or 1.
"""

from mammoseg.statistics.histogram import MapOnMask
from mammoseg.statistics.overlap import dice_readings

KIND = "maps"
TITLE = "Dice"


def measure(image: MapOnMask) -> dict[str, float]:
    """Name of each reading -> Dice of one map, in [0, 1]; all are NaN when the mask is empty."""
    return dice_readings(image)
