import numpy as np
import pytest

from mammoseg.statistics.histogram import LEVELS, MapOnMask, RandomOnMask, average_precision, to_levels


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


def test_the_peak_is_in_the_middle_of_the_largest_plateau() -> None:
    """Row by row the middle of six by six pixels would be at the rim, (5, 4)."""
    levels = np.zeros((9, 12), np.uint16)
    levels[2:8, 4:10] = levels[0, 0] = levels[8, 11] = 9
    assert MapOnMask(levels, levels > 0).peak == (4, 6)


def test_of_single_pixels_the_peak_is_the_middle_one_row_by_row() -> None:
    levels = np.zeros((4, 5), np.uint16)
    levels[1, 4] = levels[2, 0] = levels[3, 3] = 9
    assert MapOnMask(levels, levels > 0).peak == (2, 0)
    assert MapOnMask(np.full((4, 5), 7, np.uint16), levels > 0).peak is None


def test_the_peak_of_a_random_map_is_as_often_in_the_lesion_as_its_share() -> None:
    mask = np.zeros((40, 30), bool)
    mask[5:25, 3:18] = True  # a quarter
    peaks = [RandomOnMask(mask, np.random.default_rng(seed)).peak for seed in range(600)]
    assert np.mean([mask[peak] for peak in peaks if peak]) == pytest.approx(0.25, abs=0.06)
    places = np.array(peaks)
    assert places.min() == 0
    assert places.max(axis=0).tolist() == [39, 29]


def test_average_precision_of_several_at_once() -> None:
    inside, outside = np.array([[0, 1, 2], [3, 0, 0], [0, 0, 0]]), np.array([[5, 1, 0], [7, 0, 0], [1, 1, 1]])
    expected = [(2 / 3) * 1 + (1 / 3) * (3 / 4), 0.3]
    found = average_precision(inside, outside)
    np.testing.assert_allclose(found[:2], expected)
    assert np.isnan(found[2])
