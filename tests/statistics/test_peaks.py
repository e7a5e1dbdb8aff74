"""Peaks against a search that follows every plateau cell by cell."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import label

from mammoseg.statistics.peaks import local_maxima, middle_of_highest, thinned


def brute_maxima(values: NDArray[np.float64], floor: float) -> list[tuple[int, int]]:
    """By following plateaus."""
    found, seen = [], set()
    for start in itertools.product(*map(range, values.shape)):
        if start in seen or values[start] < floor:
            continue
        plateau, waiting, higher = [], [start], False
        seen.add(start)
        while waiting:
            row, col = waiting.pop()
            plateau.append((row, col))
            for i, j in itertools.product((-1, 0, 1), repeat=2):
                near = row + i, col + j
                if not (0 <= near[0] < values.shape[0] and 0 <= near[1] < values.shape[1]):
                    continue
                higher |= bool(values[near] > values[row, col])
                if values[near] == values[row, col] and near not in seen:
                    seen.add(near)
                    waiting.append(near)
        if not higher:
            mean = np.mean(plateau, axis=0)
            found.append(min(plateau, key=lambda cell: (round(float(np.square(cell - mean).sum()), 6), cell)))
    return sorted(found)


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 0.25, 0.5, 1])))
def test_every_plateau_without_a_higher_neighbour_is_a_peak(values: NDArray[np.float64]) -> None:
    assert [tuple(place) for place in local_maxima(values, 0.25).tolist()] == brute_maxima(values, 0.25)


def test_a_plateau_that_leads_up_is_none() -> None:
    """Its far end touches nothing higher."""
    values = np.array([[0.5, 0.5, 0.5, 0.5, 0.9], [0, 0, 0, 0, 0]])
    assert local_maxima(values, 0.1).tolist() == [[0, 4]]


def test_the_place_of_a_plateau_is_its_cell_nearest_to_the_middle() -> None:
    ring = np.full((5, 5), 0.5)
    ring[1:4, 1:4] = 0.2
    assert local_maxima(ring, 0.1).tolist() == [[0, 2]]
    assert local_maxima(np.full((3, 4), 0.5), 0.1).tolist() == [[1, 1]]


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(lambda cells: cells.any()))
def test_the_highest_peak_is_that_of_the_largest_plateau(highest: NDArray[np.bool_]) -> None:
    plateaus, count = label(highest, np.ones((3, 3)))
    sizes = [int((plateaus == n).sum()) for n in range(1, count + 1)]
    largest = [n for n, size in enumerate(sizes, 1) if size == max(sizes)]
    alone = plateaus == largest[len(largest) // 2]
    assert [middle_of_highest(highest)] == brute_maxima(alone.astype(np.float64), 1)


def test_below_the_floor_and_without_a_value_there_is_no_peak() -> None:
    values = np.array([[0.1, np.nan, 0.3]])
    assert local_maxima(values, 0.2).tolist() == [[0, 2]]
    assert local_maxima(values, 0.4).shape == (0, 2)
    assert local_maxima(np.full((2, 2), np.nan), 0.0).shape == (0, 2)


@given(st.integers(0, 30), st.floats(0, 5), st.integers(0, 10), st.integers(0, 2**32 - 1))
def test_peaks_that_stay_are_apart_and_none_is_left_out_without_a_reason(
    count: int, apart: float, most: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values, places = rng.integers(0, 4, count) / 4, rng.integers(0, 8, (count, 2)).astype(float)
    kept: list[int] = []
    for index in sorted(range(count), key=lambda i: (-values[i], i)):
        if len(kept) < most and all(np.hypot(*(places[index] - places[other])) >= apart for other in kept):
            kept.append(index)
    assert thinned(values, places, apart, most).tolist() == kept


@pytest.mark.parametrize("apart", [3.0, 3.1])
def test_the_distance_itself_is_far_enough(apart: float) -> None:
    kept = thinned(np.array([0.2, 0.9]), np.array([[0.0, 0.0], [0.0, 3.0]]), apart, 10)
    assert kept.tolist() == ([1, 0] if apart == 3 else [1])
