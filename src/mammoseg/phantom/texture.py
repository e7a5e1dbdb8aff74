"""Random fields with the power spectrum of breast tissue, in physical units."""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Array = NDArray[np.float32]


def power_law_pair(
    shape: tuple[int, int], pixel_mm: float, beta: float, rng: np.random.Generator, longest_mm: float = 60.0
) -> tuple[Array, Array]:
    """Two independent stationary fields of `shape` with power spectrum 1 / (f^2 + f0^2)^(beta/2), mean 0, variance 1.

    The frequency f is in cycles per mm, so that a finer grid shows the same kind of tissue with more detail; f0 =
    1 / `longest_mm` keeps structures from growing beyond that length. Wraps around at the borders of a grid that is
    at most a few pixels larger than `shape`.
    """
    grid = (scipy.fft.next_fast_len(shape[0]), scipy.fft.next_fast_len(shape[1]))
    white = rng.standard_normal((2, *grid), dtype=np.float32)
    amplitude = _amplitude(grid, pixel_mm, beta, longest_mm)
    spectrum = np.empty(grid, np.complex64)
    np.multiply(white[0], amplitude, out=spectrum.real)
    np.multiply(white[1], amplitude, out=spectrum.imag)
    # The transform of complex white noise is complex white noise: real and imaginary part are two independent fields.
    field = scipy.fft.ifft2(spectrum, overwrite_x=True)[: shape[0], : shape[1]]
    return np.ascontiguousarray(field.real), np.ascontiguousarray(field.imag)


@lru_cache(maxsize=12)
def _amplitude(grid: tuple[int, int], pixel_mm: float, beta: float, longest_mm: float) -> Array:
    """Square root of the spectrum, scaled so that the inverse transform of unit noise has unit variance."""
    fy, fx = (np.fft.fftfreq(n, pixel_mm).astype(np.float32) for n in grid)
    squared = fy[:, None] ** 2 + fx[None, :] ** 2 + np.float32(1 / longest_mm**2)
    amplitude = squared ** np.float32(-beta / 4)
    amplitude[0, 0] = 0
    amplitude *= np.float32(grid[0] * grid[1] / np.sqrt(np.sum(np.square(amplitude), dtype=np.float64)))
    amplitude.flags.writeable = False
    return amplitude
