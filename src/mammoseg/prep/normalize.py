"""Intensities of the final window: mean 0, standard deviation 1, padding included.

Source   Released preprocessing of the NYU models, in float32.
Deviates A window of one value becomes exact zeros, free of rounding.
"""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_DEVIATION = np.float32(1e-5)


def normalize(window: NDArray[np.generic]) -> NDArray[np.float32]:
    """A new float32 window (rows, columns), standardised by its own mean and (population) standard deviation."""
    values = window.astype(np.float32, copy=False)
    if values.min() == values.max():
        return np.zeros_like(values)
    centred = values - np.mean(values)
    centred /= max(np.std(centred), _SMALLEST_DEVIATION)
    return centred
