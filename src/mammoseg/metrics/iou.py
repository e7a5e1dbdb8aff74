"""Intersection over union (Jaccard index) of a saliency map S and a lesion mask M, in the readings of Dice.

    soft     sum(S M) / (sum(S^2) + sum(M^2) - sum(S M))     Tanimoto coefficient
    linear   sum(S M) / (sum(S) + sum(M) - sum(S M))
    half     |P and M| / |P or M| with P = {S >= 0.5}
    best     the same with the threshold that is best for this one image (looks at the mask: an upper bound)

Each is D / (2 - D) of the Dice D of the same reading. Of one image both say the same; means over images weigh it differently.

Source   Jaccard 1901; for values between 0 and 1, Tanimoto (Rogers and Tanimoto 1960).
Deviates An empty mask gives NaN (undefined), never 0 or 1.
"""

from mammoseg.statistics.histogram import MapOnMask
from mammoseg.statistics.overlap import dice_readings

KIND = "maps"
TITLE = "IoU"


def measure(image: MapOnMask) -> dict[str, float]:
    """Name of each reading -> IoU of one map, in [0, 1]; all are NaN when the mask is empty."""
    return {name: dice / (2 - dice) for name, dice in dice_readings(image).items()}
