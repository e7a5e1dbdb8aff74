import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from mammoseg.metrics.pxap import measure
from mammoseg.statistics.histogram import MapOnMask, to_levels

SHAPE = (6, 7)
masks = arrays(bool, SHAPE).filter(lambda mask: bool(mask.any()))
levels = arrays(np.uint16, SHAPE, elements=st.one_of(st.integers(0, 4), st.integers(0, 65535)))


def test_by_hand() -> None:
    saliency = np.array([[0.9, 0.5, 0.5], [0.1, 0.1, 0.1]])
    mask = np.array([[True, True, False], [False, True, False]])
    # Thresholds 0.9, 0.5, 0.1: precision 1, 2/3, 3/6; recall rises by 1/3 each time.
    assert measure(MapOnMask(to_levels(saliency), mask)) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


@given(levels, masks)
def test_equals_scikit_learn_on_the_pixels(level: NDArray[np.uint16], mask: NDArray[np.bool_]) -> None:
    expected = average_precision_score(mask.ravel(), level.ravel())
    assert measure(MapOnMask(level, mask)) == pytest.approx(expected, abs=1e-12)


@given(masks, st.integers(0, 65535))
def test_a_constant_map_has_the_share_of_the_lesion(mask: NDArray[np.bool_], level: int) -> None:
    constant = np.full(SHAPE, level, np.uint16)
    assert measure(MapOnMask(constant, mask)) == pytest.approx(mask.mean())


@given(masks)
def test_the_mask_itself_is_perfect(mask: NDArray[np.bool_]) -> None:
    assert measure(MapOnMask(to_levels(mask.astype(float)), mask)) == 1.0


def test_equals_scikit_learn_on_a_map_enlarged_by_nearest_neighbour() -> None:
    rng = np.random.default_rng(0)
    level = np.kron(rng.integers(0, 65536, (23, 15)), np.ones((16, 16))).astype(np.uint16)
    mask = np.zeros(level.shape, bool)
    mask[100:141, 60:97] = True
    expected = average_precision_score(mask.ravel(), level.ravel())
    assert measure(MapOnMask(level, mask)) == pytest.approx(expected, abs=1e-12)


def test_an_empty_mask_is_undefined() -> None:
    assert np.isnan(measure(MapOnMask(np.zeros(SHAPE, np.uint16), np.zeros(SHAPE, bool))))
