"""Mean 0 and standard deviation 1, padding included; or values from 0 to 1."""

import numpy as np
import pytest

from mammoseg.prep.normalize import normalize


def test_mean_and_deviation() -> None:
    window = np.random.default_rng(0).integers(0, 4096, (300, 200)).astype(np.float32)
    before = window.copy()
    normalized = normalize(window)
    assert normalized.dtype == np.float32
    assert normalized.mean() == pytest.approx(0, abs=1e-5)
    assert normalized.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(window, before)


def test_scale_and_offset_do_not_matter() -> None:
    window = np.random.default_rng(0).integers(0, 4096, (300, 200)).astype(np.float32)
    np.testing.assert_allclose(normalize(window * 16 + 100), normalize(window), atol=1e-4)


@pytest.mark.parametrize("value", [0, 3000, 65535, 0.1])
def test_constant_window_is_exactly_zero(value: float) -> None:
    assert not normalize(np.full((2944, 192), value, np.float32)).any()


def test_tiny_contrast_is_not_blown_up() -> None:
    window = np.zeros((100, 100), np.float32)
    window[0, 0] = 1e-6
    assert np.abs(normalize(window)).max() <= 0.1 + 1e-6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_unit_divides_by_the_largest_value(dtype: type) -> None:
    window = np.array([[0, 50, 100], [0, 25, 200]], dtype)
    before = window.copy()
    scaled = normalize(window, "unit")
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0, 0.25, 0.5], [0, 0.125, 1]]
    np.testing.assert_array_equal(window, before)


def test_unit_leaves_nothing_below_zero() -> None:
    assert normalize(np.array([[-0.5, 0], [1, 2]], np.float32), "unit").tolist() == [[0, 0], [0.5, 1]]


@pytest.mark.parametrize("value", [0, -1])
def test_unit_of_an_empty_window_is_zero(value: float) -> None:
    scaled = normalize(np.full((4, 3), value, np.float32), "unit")
    assert scaled.tolist() == np.zeros((4, 3)).tolist()
    assert normalize(np.full((4, 3), 7, np.uint8), "unit").tolist() == np.ones((4, 3)).tolist()
