from itertools import pairwise

import numpy as np
import pytest

from mammoseg.phantom.breast import project, sample_shape
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.texture import power_law_pair


def exponent(field: np.ndarray, pixel_mm: float, low: float, high: float) -> float:
    """Slope of the radially binned power spectrum between two frequencies (cycles/mm), Hann window."""
    rows, columns = field.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)[None, :]
    power = np.abs(np.fft.fft2((field - field.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(rows, pixel_mm)[:, None], np.fft.fftfreq(columns, pixel_mm)[None, :])
    edges = np.geomspace(low, high, 9)
    centres = np.sqrt(edges[:-1] * edges[1:])
    means = [power[(radius >= a) & (radius < b)].mean() for a, b in pairwise(edges)]
    return float(-np.polyfit(np.log(centres), np.log(means), 1)[0])


@pytest.mark.parametrize("beta", [2.5, 3.0, 3.5])
@pytest.mark.parametrize("pixel_mm", [0.28, 0.56])
def test_spectrum_falls_with_the_exponent_in_physical_frequency(beta: float, pixel_mm: float) -> None:
    rng = np.random.default_rng(1)
    slopes = [
        exponent(f, pixel_mm, 0.08, 0.7) for _ in range(4) for f in power_law_pair((300, 280), pixel_mm, beta, rng)
    ]
    assert np.mean(slopes) == pytest.approx(beta, abs=0.15)


def test_fields_are_standardised_and_independent() -> None:
    rng = np.random.default_rng(2)
    pairs = [power_law_pair((416, 320), 0.56, 3.0, rng) for _ in range(30)]
    fields = np.array(pairs)
    assert fields.dtype == np.float32
    assert fields.shape == (30, 2, 416, 320)
    assert fields.mean() == pytest.approx(0, abs=0.02)
    assert fields.var() == pytest.approx(1, abs=0.1)
    assert np.mean(fields[:, 0] * fields[:, 1]) == pytest.approx(0, abs=0.1)


def test_same_generator_state_same_field() -> None:
    first, second = (power_law_pair((50, 47), 0.5, 3.0, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_parenchyma_has_the_spectrum_of_mammograms() -> None:
    config, slopes = PhantomConfig.small(), []
    for i in range(24):
        rng = np.random.default_rng([7, i])
        shape = sample_shape(config, 1 + i % 3, rng)
        drawn = project(shape, "CC", config, rng)
        row, column = int(drawn.nipple_row_mm / config.pixel_mm), int(0.45 * shape.depth_mm / config.pixel_mm)
        slopes.append(exponent(drawn.image[row - 40 : row + 40, column - 40 : column + 40], config.pixel_mm, 0.1, 0.7))
    assert np.mean(slopes) == pytest.approx(3.0, abs=0.4)
