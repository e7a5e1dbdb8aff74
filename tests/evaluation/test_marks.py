"""Marks of maps that were drawn by hand, on windows that are mirrored, cut and resampled."""

import numpy as np
import pytest

from mammoseg.evaluation.lesions import lesions_of_boxes, lesions_of_mask
from mammoseg.evaluation.mark_rule import MarkRule
from mammoseg.evaluation.marks import Mark, hits_of, marks_of_findings, marks_of_map
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

RULE = MarkRule(apart_share=0)
GRID = PixelGrid((100, 80), (50, 40), True, 5, -3, 40, 30, (80, 60))


def test_the_places_of_marks_are_where_the_enlarged_map_is_highest() -> None:
    """Mirrored, at half the resolution, from row 5 on and with 3 columns of padding."""
    rng = np.random.default_rng(0)
    map_hw = np.zeros((20, 15))
    map_hw[rng.choice(20, 6, replace=False), rng.choice(15, 6, replace=False)] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    marks = marks_of_map(map_hw, GRID, None, RULE)
    enlarged = GRID.restore(map_hw)
    assert len(marks) >= 4
    for mark in marks:
        row, column = (int(axis) for axis in mark.place)
        assert enlarged[row, column] == mark.rating
        values, counts = np.unique(np.nonzero(enlarged == mark.rating)[1], return_counts=True)
        assert counts.min() > 0
        assert values.mean() == pytest.approx(mark.place[1] - 0.5, abs=1)
    assert [mark.rating for mark in marks] == sorted((mark.rating for mark in marks), reverse=True)


def test_cells_beside_the_image_are_no_marks_and_hide_none() -> None:
    map_hw = np.zeros((40, 33))
    map_hw[10, 0], map_hw[10, 1], map_hw[20, 20] = 0.9, 0.8, 0.5
    grid = PixelGrid((100, 80), (100, 80), False, 0, -2, 80, 66, (80, 66))
    assert [mark.rating for mark in marks_of_map(map_hw, grid, None, RULE)] == [0.8, 0.5]


def test_distance_floor_and_number() -> None:
    grid = PixelGrid((100, 100), (100, 100), False, 0, 0, 100, 100, (100, 100))
    map_hw = np.zeros((100, 100))
    map_hw[50, [10, 20, 40, 80]] = [0.9, 0.8, 0.7, 0.05]

    def ratings(pixel_mm: tuple[float, float] | None, **rule: float) -> list[float]:
        return [mark.rating for mark in marks_of_map(map_hw, grid, pixel_mm, MarkRule(**rule))]

    assert ratings(None, apart_share=0.1) == [0.9, 0.8, 0.7, 0.05]
    assert ratings(None, apart_share=0.11) == [0.9, 0.7, 0.05]
    assert ratings((0.1, 0.5), apart_mm=5) == [0.9, 0.8, 0.7, 0.05]
    assert ratings((0.5, 0.1), apart_mm=5) == [0.9, 0.05]
    assert ratings(None, floor=0.1) == [0.9, 0.8, 0.7]
    assert ratings(None, most=2) == [0.9, 0.8]


def test_findings_are_marks_with_the_floor_and_the_number_of_the_rule() -> None:
    maps = np.zeros((2, 40, 30))
    maps[1, 10, 10], maps[1, 30, 20], maps[0, 5, 5] = 0.9, 0.3, 0.8
    grid = PixelGrid((40, 30), (40, 30), False, 0, 0, 40, 30, (40, 30))
    prediction = Prediction("i", "p", "e", "L", "CC", {"benign": 0.1, "malignant": 0.9}, grid, {"saliency": maps})
    found = findings_of(prediction)
    assert [mark.place for mark in marks_of_findings(found, "malignant", RULE)] == [(10.5, 10.5), (30.5, 20.5)]
    assert len(marks_of_findings(found, "malignant", MarkRule(floor=0.5))) == 1
    assert len(marks_of_findings(found, "malignant", MarkRule(most=1))) == 1


def test_a_lesion_counts_once_by_its_highest_mark() -> None:
    mask = np.zeros((50, 50), bool)
    mask[10:20, 10:20] = mask[30:40, 30:40] = True
    marks = [Mark(0.9, (12, 12)), Mark(0.8, (5, 5)), Mark(0.7, (19.9, 10)), Mark(0.6, (20, 10))]
    hits = hits_of(marks, lesions_of_mask(mask), RULE)
    assert hits.rating == [0.9, -np.inf]
    assert hits.lesions == [[0], [], [0], []]
    assert hits.counts_as == ["lesion", "non-lesion", "further", "non-lesion"]


def test_a_mark_in_two_boxes_hits_both() -> None:
    lesions = lesions_of_boxes([(0, 0, 20, 20), (10, 10, 30, 30)])
    hits = hits_of([Mark(0.9, (15, 15)), Mark(0.5, (5, 5))], lesions, RULE)
    assert hits.rating == [0.9, 0.9]
    assert hits.counts_as == ["lesion", "further"]


def test_with_a_least_overlap_boxes_decide() -> None:
    lesions = lesions_of_boxes([(0, 0, 10, 10)])
    beside = Finding("malignant", 0.9, (15, 5), (5, 0, 25, 10))  # a fifth of the union
    [mark] = marks_of_findings([beside], "malignant", RULE)
    assert hits_of([mark], lesions, RULE).counts_as == ["non-lesion"]
    assert hits_of([mark], lesions, MarkRule(overlap=0.2)).counts_as == ["lesion"]
    assert hits_of([mark], lesions, MarkRule(overlap=0.21)).counts_as == ["non-lesion"]
    assert hits_of([Mark(0.9, (5, 5))], lesions, MarkRule(overlap=0.9)).counts_as == ["lesion"]
