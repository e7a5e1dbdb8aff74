"""Findings lie where the maps are high, on the pixels of the file: also of mirrored, resampled and padded windows."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import LOWEST, MOST, MOST_CORNERS, findings_of

PLAIN = PixelGrid((300, 200), (300, 200), False, 0, 0, 300, 200, (300, 200))
CUT = PixelGrid((300, 200), (300, 200), False, 40, -30, 240, 210, (240, 210))
SMALLER = PixelGrid((600, 400), (300, 200), False, -10, 20, 320, 190, (320, 190))
RESIZED = PixelGrid((300, 200), (300, 200), False, 0, 10, 300, 190, (150, 95))


def prediction(saliency: NDArray[Any], grid: PixelGrid = PLAIN) -> Prediction:
    """Of a class for every map; the first are benign and malignant."""
    scores = dict.fromkeys(["benign", "malignant", "other"][: len(saliency)], 0.5)
    return Prediction("a", "p", "e", "L", "CC", scores, grid, {"saliency": saliency.astype(np.float32)})


def of_one(saliency: NDArray[Any], grid: PixelGrid = PLAIN) -> tuple[Finding, ...]:
    return findings_of(prediction(saliency[None], grid))


def covered(finding: Finding, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of an outline."""
    filled = np.zeros(shape, np.uint8)
    corners = np.rint(np.array(finding.polygon)[:, ::-1] * 16 - 8).astype(np.int32)  # centres of pixels, in 16ths
    cv2.fillPoly(filled, [corners], 1, shift=4)
    return filled > 0


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("grid", [PLAIN, CUT, SMALLER, RESIZED], ids=["plain", "cut", "smaller", "resized"])
@pytest.mark.parametrize("shape", [None, (60, 40), (37, 23)])
def test_a_lesion_of_either_side_is_found_where_it_is(
    flipped: bool, grid: PixelGrid, shape: tuple[int, int] | None
) -> None:
    grid = replace(grid, flipped=flipped)
    (H, W), shape = grid.original_shape, shape or grid.model_shape
    lesion = np.zeros((H, W), bool)
    lesion[H // 3 : H // 3 + H // 8, W // 3 : W // 3 + W // 4] = True
    cells = grid.project(lesion, shape)
    [finding] = of_one(np.where(cells, 0.75, 0.003), grid)
    assert (finding.label, finding.score) == ("benign", 0.75)
    expected = np.argwhere(lesion)
    box = np.array([expected.min(axis=0), expected.max(axis=0) + 1])
    cell = np.array([grid.height * H / grid.working_shape[0], grid.width * W / grid.working_shape[1]]) / shape
    assert finding.box is not None
    assert (np.abs(np.reshape(finding.box, (2, 2)) - box) <= cell / 2 + 1e-6).all()
    assert (np.abs(finding.peak - box.mean(axis=0)) <= cell).all()
    np.testing.assert_array_equal(np.array(finding.polygon).min(axis=0), finding.box[:2])
    np.testing.assert_array_equal(np.array(finding.polygon).max(axis=0), finding.box[2:])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("grid", [PLAIN, CUT, SMALLER], ids=["plain", "cut", "smaller"])
def test_an_outline_holds_the_pixels_of_its_region(flipped: bool, grid: PixelGrid) -> None:
    grid = replace(grid, flipped=flipped)
    rows, cols = np.mgrid[: grid.model_shape[0], : grid.model_shape[1]]
    saliency = np.exp(-(((rows - 120 + cols / 3) / 20) ** 2) - ((cols - 90) / 35) ** 2).astype(np.float16)
    [finding] = of_one(saliency, grid)
    region = grid.restore(saliency >= 0.5)
    filled = covered(finding, grid.original_shape)
    assert filled[region].all()
    around = cv2.dilate(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not filled[~around].any()
    row, col = np.floor(finding.peak).astype(int)
    assert grid.restore(saliency)[row, col] == finding.score == 1


def test_what_lies_beside_the_image_is_no_finding() -> None:
    grid = PixelGrid((60, 50), (60, 50), True, -20, -30, 100, 110, (100, 110))
    saliency = np.zeros((100, 110))
    saliency[:19, :] = 0.9  # padding above
    saliency[40:50, 20:40] = 0.5  # half of it in the padding, whose mirror image is at the right
    [finding] = of_one(saliency, grid)
    assert finding.box == (20, 40, 30, 50)
    [finding] = of_one(np.ones((10, 11)), grid)  # cells that stand out of the image
    assert finding.box == (0, 0, 60, 50)
    assert of_one(np.ones((10, 11)), replace(grid, top=80)) == ()


def test_peaks_beside_each_other() -> None:
    saliency = np.zeros((300, 200))
    saliency[20:40, 20:40] = 0.4
    saliency[60:70, 20:40] = 0.8
    saliency[40:60, 28:32] = 0.3  # a bridge below half of the higher, above half of the lower
    saliency[65:68, 40:60] = 0.5  # a shoulder of the higher
    saliency[200:210, 100:110] = LOWEST / 2
    high, low = of_one(saliency)
    assert (high.score, high.box) == (pytest.approx(0.8, abs=1e-3), (60, 20, 70, 60))
    assert (low.score, low.box) == (pytest.approx(0.4, abs=1e-3), (20, 20, 60, 40))


def test_a_slope_has_one_peak_and_ripples_on_it_are_none() -> None:
    rows, cols = np.mgrid[:300, :200]
    slope = np.exp(-(((rows - 150) / 60) ** 2) - ((cols - 100) / 60) ** 2)
    ripples = 0.05 * np.cos(rows * 2.0) * np.cos(cols * 2.0)
    [finding] = of_one(np.clip(slope + ripples * slope, 0, 1))
    np.testing.assert_allclose(finding.peak, (150, 100), atol=8)


def test_the_peak_of_a_plateau_is_its_middle() -> None:
    saliency = np.zeros((300, 200))
    saliency[100:141, 50:61] = 0.7
    [finding] = of_one(saliency)
    assert finding.peak == (120.5, 55.5)


def test_findings_are_bounded_and_sorted() -> None:
    maps = np.zeros((2, 300, 200))
    for number in range(15):
        row, col = divmod(number, 4)
        maps[:, 20 + 60 * row, 20 + 45 * col] = 0.02 + number / 50
    maps[1] *= 0.9
    found = findings_of(prediction(maps))
    assert [finding.label for finding in found].count("malignant") == MOST
    assert len(found) == 2 * MOST
    assert [finding.score for finding in found] == sorted((finding.score for finding in found), reverse=True)
    assert found[0].box == (200, 110, 201, 111)
    assert len(found[0].polygon) == 4


@pytest.mark.parametrize("value", [0.0, np.nan, LOWEST * 0.9])
def test_maps_without_anything(value: float) -> None:
    assert of_one(np.full((300, 200), value)) == ()


def test_ragged_regions_have_outlines_of_bounded_length() -> None:
    saliency = np.random.default_rng(0).random((300, 200)) ** 0.5
    first, *_ = of_one(saliency)
    assert 3 <= len(first.polygon) <= MOST_CORNERS
    corners = np.array(first.polygon)
    assert (corners >= 0).all()
    assert (corners <= (300, 200)).all()


def test_findings_do_not_depend_on_what_half_precision_loses() -> None:
    saliency = np.random.default_rng(0).random((2, 60, 40))
    stored = saliency.astype(np.float16).astype(np.float32)
    assert findings_of(prediction(saliency)) == findings_of(prediction(stored))


def test_a_model_without_maps_points_at_nothing() -> None:
    assert findings_of(replace(prediction(np.zeros((2, 3, 3))), maps={})) == ()


SIDES = st.integers(1, 24)


@given(st.data())
def test_findings_lie_in_the_image_whatever_the_window(data: st.DataObject) -> None:
    original, working, model, cells = ((data.draw(SIDES), data.draw(SIDES)) for _ in range(4))
    top, left = (data.draw(st.integers(-12, 24)) for _ in range(2))
    grid = PixelGrid(original, working, data.draw(st.booleans()), top, left, data.draw(SIDES), data.draw(SIDES), model)
    saliency = np.random.default_rng(data.draw(st.integers(0, 99))).uniform(0.1, 1, (2, *cells))
    found = findings_of(prediction(saliency, grid))
    assert bool(found) == bool(grid.inside(cells).any())
    for finding in found:
        assert finding.box is not None
        rows_, columns = zip(finding.peak, finding.box[:2], finding.box[2:], *finding.polygon, strict=True)
        assert 0 <= min(rows_) <= max(rows_) <= original[0]
        assert 0 <= min(columns) <= max(columns) <= original[1]
        assert finding.box[0] <= finding.peak[0] < finding.box[2], "in a pixel of the image, too"
        assert finding.box[1] <= finding.peak[1] < finding.box[3]
        assert len(finding.polygon) >= 3
