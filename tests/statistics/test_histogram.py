import numpy as np
import pytest

from mammoseg.statistics.histogram import LEVELS, MapOnMask, RandomOnMask, to_levels


def test_levels_are_those_of_a_16_bit_png() -> None:
    probabilities = np.array([0, 0.4 / 65535, 1 / 65535, 0.5, 1])
    assert to_levels(probabilities).tolist() == [0, 0, 1, 32768, 65535]
    assert to_levels(probabilities).dtype == np.uint16
    every = np.arange(LEVELS)
    assert np.array_equal(to_levels(every / 65535), every)


@pytest.mark.parametrize("wrong", [-0.01, 1.01, np.nan])
def test_only_probabilities(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\]"):
        to_levels(np.array([[0.5, wrong]]))


def test_counts_by_hand_and_over_several_blocks() -> None:
    levels = np.zeros((700, 900), np.uint16)  # more pixels than are counted at a time
    levels[:2, 0] = 7, 65535
    mask = np.zeros(levels.shape, bool)
    mask[0, :2] = True
    inside, outside = MapOnMask(levels, mask).histograms
    assert inside.shape == outside.shape == (LEVELS,)
    assert {k: int(inside[k]) for k in np.flatnonzero(inside)} == {0: 1, 7: 1}
    assert {k: int(outside[k]) for k in np.flatnonzero(outside)} == {0: 700 * 900 - 3, 65535: 1}


def test_map_and_mask_must_have_the_same_pixels() -> None:
    with pytest.raises(ValueError, match=r"\(4, 6\) pixels against a mask of \(6, 4\)"):
        MapOnMask(np.zeros((4, 6), np.uint16), np.zeros((6, 4), bool))


def test_a_random_map_has_the_pixels_that_it_is_counted_by() -> None:
    """Uniform within and without the lesion; drawn once, and the same for the same seed."""
    mask = np.zeros((400, 300), bool)
    mask[100:200, 50:250] = True
    random, again = (RandomOnMask(mask, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(random.levels_HW, again.levels_HW)
    for found, counted in zip(MapOnMask(random.levels_HW, mask).histograms, random.histograms, strict=True):
        np.testing.assert_array_equal(found, counted)
    for part in (mask, ~mask):
        assert random.levels_HW[part].mean() == pytest.approx(65535 / 2, rel=0.02)
    assert random.levels_HW[:, :150].mean() == pytest.approx(65535 / 2, rel=0.02)
