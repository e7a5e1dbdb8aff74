"""A saliency map on a lesion mask, and its two histograms, from which overlap and pixel average precision follow exactly.

A saved map holds 65536 levels: level = round(65535 * p). How many pixels inside and how many outside the lesion have
each level is all that they depend on, so a map of any size is scanned once, without a sort.

Shapes   H, W original pixels
Units    saliency is a probability in [0, 1]; counts are pixels
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mammoseg.statistics.peaks import middle_of_highest

Counts = NDArray[np.int64]

LEVELS = 65536
"""Number of values a 16-bit map can take; level k stands for the probability k / (LEVELS - 1)."""

_BLOCK = 1 << 18  # pixels counted at a time: bincount needs eight bytes for each


class MapOnMask:
    """What a metric of maps gets: the map of one image and the lesion mask, on the same pixels."""

    levels_HW: NDArray[np.uint16]
    """The map; level 65535 stands for 1."""

    def __init__(self, levels_HW: NDArray[np.uint16], mask_HW: NDArray[np.bool_]) -> None:
        """ValueError when map and mask have different shapes."""
        if levels_HW.shape != mask_HW.shape:
            raise ValueError(
                f"saliency map of {levels_HW.shape} pixels against a mask of {mask_HW.shape}; expected the same pixels. "
                f"Use the mask that was drawn on this image, at its size."
            )
        self.levels_HW, self.mask_HW = levels_HW, mask_HW

    @cached_property
    def histograms(self) -> tuple[Counts, Counts]:
        """Pixels with each level inside and outside the lesion, (65536,) each."""
        inside = _count(self.levels_HW[self.mask_HW])
        return inside, _count(self.levels_HW.ravel()) - inside

    @cached_property
    def peak(self) -> tuple[int, int] | None:
        """(row, column) of the highest peak (statistics/peaks.py): the middle of a plateau, not its rim. None: a constant map."""
        highest = self.levels_HW.max()
        if highest == self.levels_HW.min():
            return None
        return middle_of_highest(self.levels_HW == highest)


class RandomOnMask(MapOnMask):
    """A map whose pixels are uniform in [0, 1]: the floor of every metric of maps.

    Its histograms are multinomial counts and are drawn as such, the same as drawing the pixels and counting them. The highest
    pixels are drawn to these counts for its peak, and all of them only for a metric that looks at other places.
    """

    def __init__(self, mask_HW: NDArray[np.bool_], rng: np.random.Generator) -> None:
        self.mask_HW = mask_HW
        self._rng = rng
        share, lesion_px = np.full(LEVELS, 1 / LEVELS), int(mask_HW.sum())
        self.histograms = rng.multinomial(lesion_px, share), rng.multinomial(mask_HW.size - lesion_px, share)

    @cached_property
    def levels_HW(self) -> NDArray[np.uint16]:  # type: ignore[override]
        """Levels with these histograms, each pixel in its place by chance."""
        drawn = np.empty(self.mask_HW.shape, np.uint16)
        for part, counts in zip((self.mask_HW, ~self.mask_HW), self.histograms, strict=True):
            drawn[part] = self._rng.permutation(np.repeat(np.arange(LEVELS, dtype=np.uint16), counts))
        return drawn

    @cached_property
    def peak(self) -> tuple[int, int] | None:
        """Of a draw of the highest pixels alone, the middle one row by row: as of any map, but that none are taken to touch."""
        inside, outside = self.histograms
        found = np.flatnonzero(inside + outside)
        if found.size == 1:
            return None
        lesion = np.flatnonzero(self.mask_HW)
        within = lesion[self._rng.choice(lesion.size, inside[found[-1]], replace=False)]
        beside = self._rng.choice(self.mask_HW.size - lesion.size, outside[found[-1]], replace=False)
        beside += np.searchsorted(
            lesion - np.arange(lesion.size), beside, side="right"
        )  # the lesion's pixels before it
        places = np.sort(np.concatenate([within, beside]))
        row, column = divmod(int(places[places.size // 2]), self.mask_HW.shape[1])
        return row, column


def to_levels(saliency: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Probabilities of any shape -> uint16 levels. ValueError for values outside [0, 1] and NaN."""
    if saliency.size and not (saliency.min() >= 0 and saliency.max() <= 1):
        raise ValueError(
            f"saliency map: values from {saliency.min()} to {saliency.max()}, expected probabilities in [0, 1]. "
            f"Scale the map, for instance to its minimum and maximum, before it is compared with a mask."
        )
    return np.rint(saliency.astype(np.float64) * (LEVELS - 1)).astype(np.uint16)


def average_precision(inside: NDArray[np.number], outside: NDArray[np.number]) -> NDArray[np.float64]:
    """Area under the precision-recall curve of pixels, a sum of steps: counts (..., levels), ascending -> (...).

    The sum over levels l, from the highest, of P(l) (R(l) - R(l-1)), with the pixels at l and above called lesion. NaN without a
    pixel inside. Choe et al. 2020 (arXiv:2001.07437), eq. 3, with every level as a threshold.
    """
    hits = inside[..., ::-1].astype(np.float64)
    found = np.cumsum(hits, axis=-1)
    called = found + np.cumsum(outside[..., ::-1], axis=-1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    lesion, gained = found[..., -1], (precision * hits).sum(axis=-1)
    return np.divide(gained, lesion, out=np.full_like(lesion, np.nan), where=lesion > 0)


def _count(levels: NDArray[np.uint16]) -> Counts:
    counts = np.zeros(LEVELS, np.int64)
    for start in range(0, levels.size, _BLOCK):
        counts += np.bincount(levels[start : start + _BLOCK], minlength=LEVELS)
    return counts
