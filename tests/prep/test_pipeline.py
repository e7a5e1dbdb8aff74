"""The whole preparation: bit-identical to the released one on generated images and the published sample."""

import ast
import csv
import hashlib
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.io.read import read_pixels
from mammoseg.prep.breast import BreastCrop, PrepError
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast, prepare, window_grid
from mammoseg.prep.window import WindowNoise, cut_window, moved_borders, nominal_borders, resized_borders
from mammoseg.records.image import Mammogram

NOISE = WindowNoise(location=(100, 100), size=100)
CFG = PrepConfig()

# Measured with the released code on the images of `synthetic`.
with (Path(__file__).parent / "golden_synthetic.csv").open() as table:
    SYNTHETIC = list(csv.DictReader(table))


def sha16(pixels: NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels, dtype="<u2").tobytes()).hexdigest()[:16]


def synthetic(case: dict[str, str]) -> Mammogram:
    """Half an ellipse with a label and a thin line."""
    height, width, cy, ry, rx = (int(case[name]) for name in ("H", "W", "cy", "ry", "rx"))
    r, c = np.mgrid[:height, :width]
    pixels = np.where(((r - cy) / ry) ** 2 + (c / rx) ** 2 <= 1, 1 + (7 * r + 13 * c) % 4000, 0).astype(np.uint16)
    pixels[100:160, width - 300 : width - 100] = 3000
    pixels[:, width - 50] = 5
    if case["mode"] == "left":
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    assert sha16(pixels) == case["image_sha16"]
    side, view = case["view"].split("-")
    return Mammogram(pixels, side, view, case["case"], horizontal_flip=case["horizontal_flip"] == "YES")


def ints(case: dict[str, str], *names: str) -> tuple[int, ...]:
    return tuple(int(case[name]) for name in names)


def only_crop(image: Mammogram, crop: BreastCrop) -> NDArray[np.generic]:
    """The image, zero outside the crop: what a window may show."""
    top, bottom, left, right = crop.window
    pixels = np.zeros_like(image.pixels)
    pixels[top:bottom, left:right] = image.pixels[top:bottom, left:right]
    return pixels


def check_crop(crop: BreastCrop, case: dict[str, str]) -> None:
    first, last, x = ints(case, "rightmost_y_first", "rightmost_y_last", "rightmost_x")
    y, x_first, x_last = ints(case, "bottommost_y", "bottommost_x_first", "bottommost_x_last")
    assert crop.window == ints(case, "window_top", "window_bottom", "window_left", "window_right")
    assert crop.rightmost_points == ((first, last), x)
    assert crop.bottommost_points == (y, (x_first, x_last))
    assert crop.distance_from_starting_side == int(case["distance_from_starting_side"])
    assert crop.best_center == ints(case, "best_center_y", "best_center_x")
    assert crop.flipped == (case["mode"] == "left")


@pytest.mark.parametrize("case", SYNTHETIC, ids=lambda case: case["case"])
def test_synthetic(case: dict[str, str]) -> None:
    image = synthetic(case)
    crop = crop_breast(image, CFG)
    check_crop(crop, case)

    window, grid = cut_window(crop, CFG.window)
    assert window.dtype == np.float32
    assert window.shape == CFG.window
    assert sha16(window) == case["win_sha16"]
    np.testing.assert_array_equal(grid.project(only_crop(image, crop)), window)  # the grid says where it came from

    rng = np.random.RandomState(3)  # the generator of the published numbers
    moved = moved_borders(nominal_borders(crop, CFG.window, NOISE), NOISE, rng)
    final = resized_borders(moved, CFG.window, NOISE, rng)
    assert moved.padded_shape == ints(case, "noise_padded_h", "noise_padded_w")
    for borders, name in ((moved, "noise_loc"), (final, "noise_final")):
        expected = ints(case, *(f"{name}_{side}" for side in ("top", "bottom", "left", "right")))
        assert (borders.top, borders.bottom, borders.left, borders.right) == expected


def rows(shared: Path, table: str) -> list[dict[str, str]]:
    with (shared / "spec" / "tables" / table).open() as file:
        return list(csv.DictReader(file))


def sample(shared: Path, file: str, horizontal_flip: bool | None) -> Mammogram:
    side, view = Path(file).stem.split("_")[1].split("-")
    pixels = read_pixels(shared / "data" / "nyu_sample" / "images" / file)
    return Mammogram(pixels, side, view, Path(file).stem, horizontal_flip=horizontal_flip)


@pytest.mark.shared
def test_copied_table(shared: Path) -> None:
    assert rows(shared, "golden_synthetic.csv") == SYNTHETIC


@pytest.mark.shared
def test_sample_images(shared: Path) -> None:
    for case in rows(shared, "golden_crops_GLAM.csv"):
        image = sample(shared, case["file"], horizontal_flip=case["horizontal_flip"] == "YES")
        crop = crop_breast(image, CFG)
        check_crop(crop, case)
        assert sha16(crop.pixels[:, ::-1] if crop.flipped else crop.pixels) == case["crop_sha16"]

        window, grid = cut_window(crop, CFG.window)
        assert sha16(window) == case["win_sha16"]
        assert (np.count_nonzero(window), int(window.sum(dtype=np.float64))) == ints(case, "win_nonzero", "win_sum")
        padding = (-grid.top, grid.top + grid.height - crop.working_shape[0], grid.width - crop.working_shape[1])
        assert padding == ints(case, "pad_top", "pad_bottom", "pad_right")
        np.testing.assert_array_equal(grid.project(image.pixels), window)

        normalized = prepare(image, CFG).window
        assert (float(normalized.min()), float(normalized.max())) == (
            float(case["norm_min_f32"]),
            float(case["norm_max_f32"]),
        )


@pytest.mark.shared
def test_sample_orientation_from_pixels(shared: Path) -> None:
    for case in rows(shared, "golden_crops_GLAM.csv"):
        crop = crop_breast(sample(shared, case["file"], horizontal_flip=None), CFG)
        check_crop(crop, case)
        assert crop.notes == ()


@pytest.mark.shared
def test_sample_noise(shared: Path) -> None:
    with (shared / "spec" / "tables" / "golden_augment_GLAM.csv").open() as table:
        cases = list(csv.reader(table))[1:]
    for file in sorted({case[1] for case in cases}):
        crop = crop_breast(sample(shared, file, horizontal_flip=False), CFG)
        rng = np.random.RandomState(0)
        for case in (case for case in cases if case[1] == file):
            moved = moved_borders(nominal_borders(crop, CFG.window, NOISE), NOISE, rng)
            final = resized_borders(moved, CFG.window, NOISE, rng)
            expected = [int(value) for value in case[4:]]
            assert [
                *moved.padded_shape,
                *(moved.top, moved.bottom, moved.left, moved.right),
                *(final.top, final.bottom, final.left, final.right),
            ] == expected


def breast(rows: int = 300, cols: int = 250, points_right: bool = True) -> NDArray[np.uint16]:
    y, x = np.mgrid[:rows, :cols]
    inside = ((y - rows / 2) / (0.45 * rows)) ** 2 + (x / (0.8 * cols)) ** 2 <= 1
    pixels = np.where(inside, 100 + (7 * y + 13 * x) % 900, 0).astype(np.uint16)
    return pixels if points_right else np.ascontiguousarray(pixels[:, ::-1])


SMALL = PrepConfig(window=(256, 192), opening_px=20, buffer_px=10)


@pytest.mark.parametrize("view", ["CC", "MLO"])
@pytest.mark.parametrize("shape", [(300, 250), (150, 100), (600, 120)], ids=str)
def test_mirrored_files_give_the_same_window_up_to_one_column(view: str, shape: tuple[int, int]) -> None:
    """Landmarks of mirrored breasts lie one column further right, as in the released code."""
    right = crop_breast(Mammogram(breast(*shape), "L", view, "a"), SMALL)
    left = crop_breast(Mammogram(breast(*shape, points_right=False), "R", view, "a"), SMALL)
    np.testing.assert_array_equal(left.pixels, right.pixels)
    assert left.best_center == (right.best_center[0], right.best_center[1] + 1)


def test_resampling_keeps_positions() -> None:
    pixels = breast(600, 500)
    image = Mammogram(pixels, "L", "CC", "a", pixel_mm=0.1)
    prepared = prepare(image, SMALL.model_copy(update={"pixel_mm": 0.2}))
    assert prepared.grid.original_shape == (600, 500)
    assert prepared.grid.working_shape == (300, 250)
    inside = prepared.grid.project(pixels > 0)
    shown = prepared.window > prepared.window.min()
    assert (inside != shown).mean() < 0.01


def test_image_of_the_wanted_pixel_size_is_not_touched() -> None:
    image = Mammogram(breast(), "L", "CC", "a", pixel_mm=0.2)
    same = crop_breast(image, SMALL.model_copy(update={"pixel_mm": 0.2}))
    assert same.pixels.dtype == np.uint16
    np.testing.assert_array_equal(same.pixels, crop_breast(image, SMALL).pixels)


def test_unknown_pixel_size_leaves_the_pixels_and_is_told() -> None:
    image = Mammogram(breast(), "L", "CC", "a1")
    crop = crop_breast(image, SMALL.model_copy(update={"pixel_mm": 0.2}))
    np.testing.assert_array_equal(crop.pixels, crop_breast(image, SMALL).pixels)
    assert crop.notes == ("the pixel size is unknown: pixels are used as they are, not resampled to 0.2 mm",)


def test_a_pixel_size_that_differs_by_less_than_a_pixel_changes_nothing() -> None:
    image = Mammogram(breast(), "L", "CC", "a1", pixel_mm=0.2000001)
    crop = crop_breast(image, SMALL.model_copy(update={"pixel_mm": 0.2}))
    assert crop.pixels.dtype == np.uint16


def test_absurd_pixel_size() -> None:
    cfg = SMALL.model_copy(update={"pixel_mm": 0.2})
    with pytest.raises(PrepError, match="Correct pixel_mm"):
        crop_breast(Mammogram(breast(), "L", "CC", "a1", pixel_mm=70), cfg)
    with pytest.raises(PrepError, match="no breast found in 1 x 1 pixels"):
        crop_breast(Mammogram(breast(), "L", "CC", "a1", pixel_mm=1e-5), cfg)


@pytest.mark.parametrize("background", ["zero", "film"])
@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((300, 250), np.uint16),
        np.ones((41, 250), np.uint16),
        np.ones((1, 1), np.uint8),
        np.eye(300, dtype="u1"),
    ],
    ids=["black", "low", "one pixel", "line"],
)
def test_no_breast(pixels: NDArray[np.generic], background: str) -> None:
    cfg = SMALL.model_copy(update={"background": background, "opening_px": 21})
    with pytest.raises(PrepError, match=r"a1: no breast found .* Check the image"):
        prepare(Mammogram(pixels, "L", "CC", "a1"), cfg)


def test_breast_in_the_ignored_part_only() -> None:
    pixels = np.zeros((300, 100), np.uint8)
    pixels[:3, :50] = 9
    with pytest.raises(PrepError, match=r"lower prep\.ignore_top"):
        prepare(Mammogram(pixels, "L", "CC", "a1", horizontal_flip=False), PrepConfig(opening_px=1))


def test_colour_array_is_refused() -> None:
    with pytest.raises(PrepError, match=r"\(300, 250, 3\)"):
        prepare(Mammogram(np.ones((300, 250, 3), np.uint8), "L", "CC", "a1"), SMALL)


@pytest.mark.parametrize("view", ["CC", "MLO"])
@pytest.mark.parametrize("shape", [(300, 250), (100, 80), (600, 60)], ids=str)
def test_constant_image_without_background(view: str, shape: tuple[int, int]) -> None:
    """Touches every border; the pixels tell no side, so the table is followed."""
    cfg = SMALL.model_copy(update={"least_in_window": 0.0, "least_filled": 0.0})
    prepared = prepare(Mammogram(np.full(shape, 500, np.uint16), "R", view, "a"), cfg)
    assert prepared.window.shape == SMALL.window
    assert np.isfinite(prepared.window).all()
    assert prepared.grid.flipped
    assert prepared.notes == ()


def test_gap_at_the_chest_wall_is_noted() -> None:
    pixels = np.pad(breast(), ((0, 0), (30, 0)))
    notes = crop_breast(Mammogram(pixels, "L", "CC", "a"), SMALL).notes
    assert len(notes) == 1
    assert "30 empty columns" in notes[0]


def test_crop_can_be_pickled_and_has_plain_fields() -> None:
    crop = crop_breast(Mammogram(breast(points_right=False), "R", "MLO", "a"), SMALL)
    back = pickle.loads(pickle.dumps(crop))  # noqa: S301 - made here
    np.testing.assert_array_equal(back.pixels, crop.pixels)
    others = ("pixels", "heatmaps", "facts")
    plain = {field.name: getattr(crop, field.name) for field in fields(crop) if field.name not in others}
    assert back.facts == crop.facts
    assert ast.literal_eval(repr(plain)) == plain
    assert all(getattr(back, name) == value for name, value in plain.items())


@pytest.mark.parametrize("fit", ["cut", "resize"])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_the_grid_is_known_without_the_window(view: str, fit: str) -> None:
    cfg = SMALL.model_copy(update={"fit": fit})
    image = Mammogram(breast(points_right=False), "R", view, "a")
    assert window_grid(crop_breast(image, cfg), cfg) == prepare(image, cfg).grid


def test_a_resized_breast_fills_the_window_and_goes_back() -> None:
    cfg = SMALL.model_copy(update={"fit": "resize", "buffer_px": 0, "intensity": "unit"})
    pixels = breast(points_right=False)
    prepared = prepare(Mammogram(pixels, "R", "CC", "a"), cfg)
    assert (prepared.window.min(), prepared.window.max()) == (0, 1)
    shown = prepared.window > 0
    assert shown.any(axis=1).all()
    assert shown.any(axis=0).all()
    assert (prepared.grid.restore(shown) != (pixels > 0)).mean() < 0.02
