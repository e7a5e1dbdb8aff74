import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mammoseg.metrics.dice import measure
from mammoseg.statistics.histogram import MapOnMask, to_levels

SHAPE = (6, 7)
masks = arrays(bool, SHAPE).filter(lambda mask: bool(mask.any()))
levels = arrays(np.uint16, SHAPE, elements=st.sampled_from([0, 1, 900, 32767, 32768, 65534, 65535]))


def scores_of(saliency: NDArray[np.floating], mask: NDArray[np.bool_]) -> dict[str, float]:
    return measure(MapOnMask(to_levels(saliency), mask))


def binary_dice(called: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    return float(2 * (called & mask).sum() / (called.sum() + mask.sum()))


def test_by_hand() -> None:
    saliency = np.array([[1.0, 0.6], [0.2, 0.0]])
    mask = np.array([[True, False], [True, False]])
    scores = scores_of(saliency, mask)
    assert list(scores) == ["soft", "linear", "half", "best"]
    assert scores["soft"] == pytest.approx(2 * 1.2 / (1 + 0.36 + 0.04 + 2), abs=1e-5)
    assert scores["linear"] == pytest.approx(2 * 1.2 / (1.8 + 2), abs=1e-5)
    assert scores["half"] == 2 * 1 / (2 + 2)
    assert scores["best"] == 2 * 2 / (3 + 2)  # threshold 0.2; threshold 1.0 gives 2/3


@given(levels, masks)
def test_histograms_give_what_the_pixels_give(level: NDArray[np.uint16], mask: NDArray[np.bool_]) -> None:
    saliency = level / 65535
    s, m = saliency.ravel(), mask.ravel().astype(float)
    scores = measure(MapOnMask(level, mask))
    assert scores["soft"] == pytest.approx(2 * s @ m / (s @ s + m @ m), rel=1e-12)
    assert scores["linear"] == pytest.approx(2 * s @ m / (s.sum() + m.sum()), rel=1e-12)
    assert scores["half"] == binary_dice(saliency >= 0.5, mask)
    assert scores["best"] == max(binary_dice(saliency >= t, mask) for t in np.unique(saliency))


@given(levels, masks)
def test_between_zero_and_one_and_the_best_threshold_is_best(
    level: NDArray[np.uint16], mask: NDArray[np.bool_]
) -> None:
    scores = measure(MapOnMask(level, mask))
    assert all(0 <= value <= 1 for value in scores.values())
    assert scores["half"] <= scores["best"]


@given(masks)
def test_the_mask_itself_is_perfect_and_its_opposite_worthless(mask: NDArray[np.bool_]) -> None:
    assert set(scores_of(mask.astype(float), mask).values()) == {1.0}
    opposite = scores_of(1.0 - mask, mask)
    assert opposite["soft"] == opposite["linear"] == opposite["half"] == 0
    assert opposite["best"] == binary_dice(np.ones(SHAPE, bool), mask)


def test_an_empty_mask_is_undefined() -> None:
    assert all(np.isnan(value) for value in scores_of(np.zeros(SHAPE), np.zeros(SHAPE, bool)).values())


def test_a_map_of_zeros_finds_nothing() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[0, 0] = True
    scores = scores_of(np.zeros(SHAPE), mask)
    assert scores["soft"] == scores["linear"] == scores["half"] == 0
