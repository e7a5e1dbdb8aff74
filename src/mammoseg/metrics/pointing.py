"""Pointing game: whether the peak of a map is in the lesion, and how far from it.

    inside      1 if the largest value is in the mask, else 0
    distance    from the peak to the nearest pixel of the mask, in radii of a disc of the mask's area; 0 inside

Source   Zhang et al. 2016 (arXiv:1608.00507), without their tolerance. The distance is ours.
Deviates Of several pixels with the largest value, the middle of the largest plateau counts (statistics/peaks.py): a box, or a
         cell of many pixels, points with its middle. An empty mask, and a constant map, which has no peak, give NaN (undefined).
"""

import numpy as np

from mammoseg.statistics.histogram import MapOnMask

KIND = "maps"
TITLE = "Peak in the lesion"


def measure(image: MapOnMask) -> dict[str, float]:
    """`inside` (0 or 1) and `distance` (radii of the lesion)."""
    mask_HW, peak = image.mask_HW, image.peak
    if peak is None or not mask_HW.any():
        return dict.fromkeys(("inside", "distance"), float("nan"))
    if mask_HW[peak]:
        return {"inside": 1.0, "distance": 0.0}
    lesion = np.argwhere(mask_HW)
    away = np.sqrt(np.square(lesion - peak).sum(axis=1).min())
    return {"inside": 0.0, "distance": float(away / np.sqrt(len(lesion) / np.pi))}
