"""Intensities of the final window.

standardize   mean 0, standard deviation 1, padding included. Source: released preprocessing of the NYU models, in float32.
              Deviates: a window of one value becomes exact zeros, free of rounding.
unit          0 to 1, the largest value of the window is 1. Source: GMIC for CBIS-DDSM, in our reading (see PrepConfig).
"""

import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.config import Intensity

_SMALLEST_DEVIATION = np.float32(1e-5)


def normalize(window: NDArray[np.generic], intensity: Intensity = "standardize") -> NDArray[np.float32]:
    """A new float32 window (rows, columns) from one of raw intensities."""
    values = window.astype(np.float32, copy=False)
    return _unit(values) if intensity == "unit" else _standardized(values)


def _standardized(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if values.min() == values.max():
        return np.zeros_like(values)
    centred = values - np.mean(values)
    centred /= max(np.std(centred), _SMALLEST_DEVIATION)
    return centred


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    largest = values.max()
    if largest <= 0:
        return np.zeros_like(values)
    return np.maximum(values, 0) / largest  # bicubic resizing may leave values just below 0
