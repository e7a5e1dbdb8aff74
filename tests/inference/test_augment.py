"""Displaced windows: the published draws, the same for an image whatever came before it."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammoseg.data.manifest import ImageRow
from mammoseg.inference import augment
from mammoseg.inference.augment import displaced_windows
from mammoseg.io.read import read_pixels
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import Prepared, crop_breast, prepare_window
from mammoseg.prep.window import WindowNoise
from mammoseg.records.image import Mammogram


@pytest.fixture(scope="module")
def prep() -> PrepConfig:
    return PrepConfig(window=(96, 64), opening_px=3, buffer_px=2)


@pytest.fixture(scope="module")
def crops(rows: list[ImageRow], prep: PrepConfig) -> list[BreastCrop]:
    return [crop_breast(row.mammogram(read_pixels(row.path)), prep) for row in rows[:2]]


def same(found: Prepared, expected: Prepared) -> bool:
    return found.grid == expected.grid and np.array_equal(found.window, expected.window)


@pytest.mark.parametrize("fit", ["cut", "resize"])
def test_windows_are_those_of_the_preparation_with_the_noise_of_training(
    crops: list[BreastCrop], prep: PrepConfig, fit: str
) -> None:
    settings = prep.model_copy(update={"fit": fit})
    reach = {"cut": 3, "resize": round(100 * crops[0].pixels.shape[0] / 2944)}[fit]
    rng, noise = np.random.RandomState(0), WindowNoise((reach, reach), reach)
    found = list(displaced_windows(crops[0], settings, 5))
    assert len(found) == 5
    for window in found:
        assert window.window.shape == (96, 64)
        assert same(window, prepare_window(crops[0], settings, noise, rng))
    assert len({window.grid for window in found}) == 5, "each is displaced in another way"
    assert prepare_window(crops[0], settings).grid not in [window.grid for window in found]


@pytest.mark.parametrize(("size", "reach"), [(2944, 100), (1472, 50), (368, 12), (96, 3), (10, 0)])
def test_noise_is_in_proportion_to_the_window(
    crops: list[BreastCrop], monkeypatch: pytest.MonkeyPatch, size: int, reach: int
) -> None:
    """In proportion to the breast where that is resized to the window, since the noise is in pixels of the image."""
    seen: list[WindowNoise] = []
    monkeypatch.setattr(augment, "prepare_window", lambda crop, prep, noise, rng: seen.append(noise))
    list(displaced_windows(crops[0], PrepConfig(window=(size, size)), 1))
    tall = replace(crops[0], pixels=np.zeros((size, 7), np.uint16))
    list(displaced_windows(tall, PrepConfig(fit="resize"), 1))
    assert seen == [WindowNoise((reach, reach), reach)] * 2


@pytest.mark.parametrize(("view", "height", "reach"), [("CC", 2677, 100), ("MLO", 2974, 100), ("CC", 336, 13)])
def test_windows_by_view_have_the_noise_of_their_own(
    crops: list[BreastCrop], monkeypatch: pytest.MonkeyPatch, view: str, height: int, reach: int
) -> None:
    """100 pixels at the published size of either, as in the released software."""
    seen: list[WindowNoise] = []
    monkeypatch.setattr(augment, "prepare_window", lambda crop, prep, noise, rng: seen.append(noise))
    windows = PrepConfig(windows={"CC": (height, 10), "MLO": (height, 20)})
    list(displaced_windows(replace(crops[0], view=view), windows, 1))
    assert seen == [WindowNoise((reach, reach), reach)]


def test_an_image_does_not_depend_on_the_others(crops: list[BreastCrop], prep: PrepConfig) -> None:
    first, second = (list(displaced_windows(crop, prep, 3)) for crop in crops)
    mixed = list(zip(displaced_windows(crops[1], prep, 3), displaced_windows(crops[0], prep, 3), strict=True))
    for (b, a), expected_a, expected_b in zip(mixed, first, second, strict=True):
        assert same(a, expected_a)
        assert same(b, expected_b)
    longer = list(displaced_windows(crops[0], prep, 4))
    assert all(same(window, expected) for window, expected in zip(longer[:3], first, strict=True))


def test_the_generator_of_everything_else_is_left_alone(crops: list[BreastCrop], prep: PrepConfig) -> None:
    np.random.seed(5)  # noqa: NPY002
    list(displaced_windows(crops[0], prep, 2))
    after = np.random.random()  # noqa: NPY002
    assert after == np.random.RandomState(5).random_sample()


@pytest.mark.shared
@pytest.mark.parametrize("view", ["L-CC", "R-MLO"])
def test_windows_are_the_published_ones(shared: Path, view: str) -> None:
    """Borders that the released preprocessing drew for a real image, from the same seed."""
    with (shared / "spec" / "tables" / "golden_augment_GLAM.csv").open() as table:
        cases = [[int(v) for v in row[4:]] for row in csv.reader(table) if row[1] == f"0_{view}.png" and row[2] == "0"]
    side, projection = view.split("-")
    pixels = read_pixels(shared / "data" / "nyu_sample" / "images" / f"0_{view}.png")
    crop = crop_breast(Mammogram(pixels, side, projection, view, horizontal_flip=False), PrepConfig())
    box_top, _, box_left, box_right = crop.window
    origin = crop.working_shape[1] - box_right if crop.flipped else box_left
    assert len(cases) == 3
    for window, case in zip(displaced_windows(crop, PrepConfig(), 3), cases, strict=True):
        padded_rows, (top, bottom, left, right) = case[0], case[-4:]
        above = (padded_rows - crop.pixels.shape[0]) // 2 if projection == "CC" else 0
        grid = window.grid
        assert (grid.top, grid.left) == (box_top + top - above, origin + left)
        assert (grid.height, grid.width) == (bottom - top, right - left)
        assert window.window.shape == (2944, 1920)
