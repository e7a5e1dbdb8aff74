"""PxAP over the pixels of all images together, instead of image by image.

    pxap_pooled          one threshold for all images: maps as they are, as probabilities
    pxap_pooled_scaled   every map is brought to the range from 0 to 1 first, by its lowest and its highest value

Source   Choe et al. 2020 (arXiv:2001.07437), eq. 3, where maps are scaled.
Deviates Every level is a threshold, and images keep their pixels (Choe et al. bring all to 224 x 224), so that large images and
         large lesions weigh more.
Units    levels as in statistics/histogram.py
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mammoseg.evaluation.maps import few_patients
from mammoseg.evaluation.method import Method
from mammoseg.statistics.bootstrap import Floats, interval
from mammoseg.statistics.histogram import LEVELS, Counts, average_precision

NAME, SCALED = "pxap_pooled", "pxap_pooled_scaled"
TITLE = "PxAP (all pixels)"
_BLOCK = 32  # replicates at a time


class PixelCounts:
    """The histograms of the maps of many images; of each only the levels it has are kept."""

    def __init__(self) -> None:
        self._patients: list[str] = []
        self._levels: list[NDArray[np.uint16]] = []
        self._counts: list[NDArray[np.int32]] = []

    def add(self, patient_id: str, inside: Counts, outside: Counts) -> None:
        """The pixels (65536,) with each level inside and outside the lesion of an image. Left out if there is no lesion."""
        if not inside.any():
            return
        there = np.flatnonzero(inside + outside)
        self._patients.append(patient_id)
        self._levels.append(there.astype(np.uint16))
        self._counts.append(np.stack([inside[there], outside[there]]).astype(np.int32))

    @property
    def share(self) -> float:
        """Of the pixels that lie in a lesion: what a map without information is expected to have; NaN without an image."""
        inside, outside = np.sum([counts.sum(axis=1, dtype=np.int64) for counts in self._counts] or [[0, 0]], axis=0)
        return float(inside / (inside + outside)) if inside else np.nan

    def numbers(self, method: Method) -> dict[str, dict[str, Any]]:
        """Both, each with an interval by patient; NaN, with the reason, without an image with a lesion."""
        scaled = [_stretched(levels) for levels in self._levels]
        return {name: self._number(levels, method) for name, levels in ((NAME, self._levels), (SCALED, scaled))}

    def _number(self, levels: Sequence[NDArray[np.uint16]], method: Method) -> dict[str, Any]:
        if not levels:
            undefined = dict.fromkeys(("value", "low", "high"), np.nan)
            return {**undefined, "n": 0, "undefined": 0, "reason": "every mask is empty", "no_interval": None}
        starts = np.cumsum([0, *map(len, levels)])
        used, column = np.unique(np.concatenate(levels), return_inverse=True)
        counts = np.concatenate(self._counts, axis=1).astype(np.float64)
        shape = (len(levels), used.size)
        # Columns are images, so that a product with weights is a sum over rows that lie together.
        inside, outside = (csr_array((part, column, starts), shape=shape).T.tocsr() for part in counts)

        def pooled(weights: Floats) -> Floats:
            blocks = (weights[start : start + _BLOCK].T for start in range(0, len(weights), _BLOCK))
            return np.concatenate([average_precision((inside @ w).T, (outside @ w).T) for w in blocks])

        value = float(pooled(np.ones((1, len(levels))))[0])
        spread = interval(pooled, self._patients, method.bootstrap, method.seed)
        return {
            "value": value,
            **spread.as_numbers,
            "n": len(levels),
            "undefined": 0,
            "reason": None,
            "caution": few_patients(self._patients),
        }


def _stretched(levels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The same levels between 0 and the highest one; different ones stay different. A constant map is 0 everywhere."""
    low, high = int(levels[0]), int(levels[-1])
    return np.rint((levels.astype(np.float64) - low) * ((LEVELS - 1) / max(high - low, 1))).astype(np.uint16)
