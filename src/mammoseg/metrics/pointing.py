"""Pointing game: whether the peak of a map is in the lesion, and how far from it.

    inside      1 if the largest value is in the mask, else 0
    distance    from the peak to the nearest pixel of the mask, in radii of a disc of the mask's area; 0 inside

Source   Zhang et al. 2016 (arXiv:1608.00507), without their tolerance. The distance is ours.
Deviates Of several pixels with the largest value, the one in the middle (row by row) counts. An empty mask, and a constant map,
         which has no peak, give NaN (undefined).
"""

import cv2
import numpy as np

from mammoseg.statistics.histogram import MapOnMask

KIND = "maps"
TITLE = "Peak in the lesion"


def measure(image: MapOnMask) -> dict[str, float]:
    """`inside` (0 or 1) and `distance` (radii of the lesion)."""
    levels_HW, mask_HW = image.levels_HW, image.mask_HW
    lesion, peak = int(mask_HW.sum()), levels_HW.max()
    if lesion == 0 or peak == levels_HW.min():
        return dict.fromkeys(("inside", "distance"), float("nan"))
    rows, cols = np.nonzero(levels_HW == peak)
    row, col = rows[len(rows) // 2], cols[len(cols) // 2]
    if mask_HW[row, col]:
        return {"inside": 1.0, "distance": 0.0}
    away_HW = cv2.distanceTransform((~mask_HW).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return {"inside": 0.0, "distance": float(away_HW[row, col] / np.sqrt(lesion / np.pi))}
