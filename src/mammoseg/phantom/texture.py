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

    The frequency f is in cycles per mm, so that a finer grid shows the same tissue with more detail. f0 = 1 /
    `longest_mm` keeps structures from growing beyond that length. The fields are periodic on a grid that is at most a
    few pixels larger than `shape`.
    """
    fast = (scipy.fft.next_fast_len(shape[0]), scipy.fft.next_fast_len(shape[1]))
    white = rng.standard_normal((2, *fast), dtype=np.float32)
    spectrum = np.empty(fast, np.complex64)
    amplitude = _amplitude(fast, pixel_mm, beta, longest_mm)
    np.multiply(white[0], amplitude, out=spectrum.real)
    np.multiply(white[1], amplitude, out=spectrum.imag)
    field = scipy.fft.ifft2(spectrum, overwrite_x=True)[: shape[0], : shape[1]]
    return np.ascontiguousarray(field.real), np.ascontiguousarray(field.imag)


@lru_cache(maxsize=16)
def _amplitude(shape: tuple[int, int], pixel_mm: float, beta: float, longest_mm: float) -> Array:
    """Square root of the spectrum, scaled so that the inverse transform has unit variance."""
    fy = np.fft.fftfreq(shape[0], pixel_mm).astype(np.float32)
    fx = np.fft.fftfreq(shape[1], pixel_mm).astype(np.float32)
    f2 = fy[:, None] ** 2 + fx[None, :] ** 2 + np.float32(1 / longest_mm**2)
    amplitude = f2 ** np.float32(-beta / 4)
    amplitude[0, 0] = 0
    amplitude *= shape[0] * shape[1] / np.sqrt(np.sum(np.square(amplitude), dtype=np.float64))
    amplitude.flags.writeable = False
    return amplitude.astype(np.float32, copy=False)
