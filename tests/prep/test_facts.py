"""What is measured on the breast: known exactly for a half disc."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast, prepare
from mammoseg.records.breast import BreastFacts
from mammoseg.records.image import Mammogram

RADIUS = 100
CFG = PrepConfig(window=(210, 110), opening_px=5, buffer_px=4)


def half_disc(points_right: bool = True) -> NDArray[np.uint16]:
    """(300, 250) a breast of the radius above at one border; values from 100 to 199 in equal numbers of rows."""
    y, x = np.mgrid[:300, :250]
    inside = (y - 150) ** 2 + x**2 <= RADIUS**2
    pixels = np.where(inside, 100 + y % 100, 0).astype(np.uint16)
    return pixels if points_right else np.ascontiguousarray(pixels[:, ::-1])


def facts(cfg: PrepConfig = CFG, pixel_mm: float | None = None, points_right: bool = True) -> BreastFacts:
    side = "L" if points_right else "R"
    found = crop_breast(Mammogram(half_disc(points_right), side, "CC", "a", pixel_mm, False), cfg).facts
    assert found is not None
    return found


@pytest.mark.parametrize("points_right", [True, False])
def test_a_window_around_the_breast(points_right: bool) -> None:
    found = facts(points_right=points_right)
    assert found.in_window == 1
    assert found.fills_window == pytest.approx(np.count_nonzero(half_disc()) / (210 * 110), rel=0.01)
    assert (found.area_mm2, found.pixel_mm) == (None, None)
    assert found.levels[0] < 110
    assert found.levels[-1] > 190
    assert sorted(found.levels) == list(found.levels)


def test_grain_is_the_difference_from_the_neighbours() -> None:
    """By hand: rows that differ by 10 in turns, so that two of four neighbours differ by 10."""
    y, x = np.mgrid[:300, :250]
    inside = (y - 150) ** 2 + x**2 <= RADIUS**2
    plain = np.where(inside, 1000, 0).astype(np.uint16)
    striped = np.where(inside, 1000 + 10 * (y % 2), 0).astype(np.uint16)
    for pixels, expected in ((plain, 0), (striped, 5 / 1010)):
        found = crop_breast(Mammogram(pixels, "L", "CC", "a", None, False), CFG).facts
        assert found is not None
        assert found.grain == pytest.approx(expected)


@pytest.mark.parametrize("points_right", [True, False])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_the_share_is_that_of_the_pixels_in_the_grid(view: str, points_right: bool) -> None:
    """Counted in the original image, through the grid, which knows nothing of crops."""
    pixels = half_disc(points_right)
    image = Mammogram(pixels, "L" if points_right else "R", view, "a", None, False)
    prepared = prepare(image, CFG.model_copy(update={"window": (90, 60)}))
    seen = np.count_nonzero(prepared.grid.project(pixels > 0))
    assert prepared.facts is not None
    assert prepared.facts.in_window == pytest.approx(seen / np.count_nonzero(pixels), abs=0.01)
    assert prepared.facts.in_window < 0.5
    assert prepared.facts.fills_window == pytest.approx(seen / (90 * 60), abs=0.01)


def test_resampling_changes_neither_share_nor_area() -> None:
    expected = np.count_nonzero(half_disc()) * 0.4**2
    for pixel_mm in (None, 0.8):
        cfg = CFG.model_copy(update={"pixel_mm": pixel_mm})
        found = facts(cfg, pixel_mm=0.4)
        assert found.area_mm2 == pytest.approx(expected, rel=0.03)
        assert found.pixel_mm == 0.4
        assert found.in_window == 1


def test_a_breast_that_is_resized_is_seen_whole() -> None:
    found = facts(CFG.model_copy(update={"window": (40, 30), "fit": "resize"}))
    assert found.in_window == 1
    assert 0.5 < found.fills_window < 1


def test_notes_tell_what_is_out_of_sight_and_what_is_lost() -> None:
    image = Mammogram(half_disc(), "L", "CC", "a")
    (cut,) = crop_breast(image, CFG.model_copy(update={"window": (60, 50)})).notes
    assert cut.startswith("only ")
    assert cut.endswith("% of the breast is inside the model window (at least 80%)")
    (lost,) = crop_breast(image, CFG.model_copy(update={"window": (1000, 900)})).notes
    assert lost == "the breast fills only 1.8% of the model window (at least 10%)"
    allowed = {"window": (60, 50), "least_in_window": 0.0}
    assert crop_breast(image, CFG.model_copy(update=allowed)).notes == ()
