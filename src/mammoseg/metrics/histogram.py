"""The two histograms of a saliency map against a lesion mask, from which every pixel metric follows exactly.

A saved map holds 65536 levels: level = round(65535 * p). How many pixels inside and how many outside the lesion have
each level is all that Dice and pixel average precision depend on, so a map of any size is scanned once, without a sort.

Shapes   H, W original pixels
Units    saliency is a probability in [0, 1]; counts are pixels
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 65536
"""Number of values a 16-bit map can take; level k stands for the probability k / (LEVELS - 1)."""

_BLOCK = 1 << 18  # pixels counted at a time: bincount needs eight bytes for each


def to_levels(saliency: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Probabilities of any shape -> uint16 levels. ValueError for values outside [0, 1] and NaN."""
    if saliency.size and not (saliency.min() >= 0 and saliency.max() <= 1):
        raise ValueError(
            f"saliency map: values from {saliency.min()} to {saliency.max()}, expected probabilities in [0, 1]. "
            f"Scale the map, for instance to its minimum and maximum, before it is compared with a mask."
        )
    return np.rint(saliency.astype(np.float64) * (LEVELS - 1)).astype(np.uint16)


def lesion_histogram(
    levels: NDArray[np.uint16], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(H, W) levels and the (H, W) mask -> pixels with each level inside and outside the lesion, (65536,) each.

    ValueError when map and mask have different shapes.
    """
    if levels.shape != mask.shape:
        raise ValueError(
            f"saliency map of {levels.shape} pixels against a mask of {mask.shape}; expected the same pixels. "
            f"Use the mask that was drawn on this image, at its size."
        )
    inside = _count(levels[mask])
    return inside, _count(levels.ravel()) - inside


def _count(levels: NDArray[np.uint16]) -> NDArray[np.int64]:
    counts = np.zeros(LEVELS, np.int64)
    for start in range(0, levels.size, _BLOCK):
        counts += np.bincount(levels[start : start + _BLOCK], minlength=LEVELS)
    return counts
