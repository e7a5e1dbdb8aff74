"""Heatmaps take the way of the pixels, whatever it is, and keep their values."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.prep.breast import PrepError
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast, prepare, prepare_window
from mammoseg.prep.window import WindowNoise, cut_window
from mammoseg.records.image import Mammogram

CFG = PrepConfig(window=(128, 96), opening_px=8, buffer_px=5)
NOISE = WindowNoise((9, 9), 9)


def breast(rows: int, cols: int, points_right: bool) -> NDArray[np.uint16]:
    y, x = np.mgrid[:rows, :cols]
    inside = ((y - rows / 2) / (0.45 * rows)) ** 2 + (x / (0.8 * cols)) ** 2 <= 1
    pixels = np.where(inside, 100 + (7 * y + 13 * x) % 30000, 0).astype(np.uint16)
    return pixels if points_right else np.ascontiguousarray(pixels[:, ::-1])


def image_of(rows: int = 160, cols: int = 110, view: str = "CC", points_right: bool = True) -> Mammogram:
    """The image is its own first heatmap; the second one has values twice as high, which no rounding can hide."""
    pixels = breast(rows, cols, points_right)
    side = "L" if points_right else "R"
    return Mammogram(pixels, side, view, "a", pixel_mm=0.2, heatmaps=np.stack([pixels, 2 * pixels]))


@pytest.mark.parametrize("fit", ["cut", "resize"])
@pytest.mark.parametrize("pixel_mm", [None, 0.31, 0.13])
@pytest.mark.parametrize("points_right", [True, False])
@pytest.mark.parametrize(
    ("rows", "cols", "view"), [(160, 110, "CC"), (60, 50, "CC"), (160, 110, "MLO"), (60, 50, "MLO")]
)
def test_heatmaps_lie_on_the_pixels_to_the_last_bit(
    rows: int, cols: int, view: str, points_right: bool, pixel_mm: float | None, fit: str
) -> None:
    cfg = CFG.model_copy(update={"fit": fit, "pixel_mm": pixel_mm})
    image = image_of(rows, cols, view, points_right)
    crop = crop_breast(image, cfg)
    for seed, noise in ((0, None), (1, NOISE), (2, NOISE), (3, replace(NOISE, location=(0, 0)))):
        prepared = prepare_window(crop, cfg, noise, np.random.default_rng(seed))
        raw, grid = cut_window(crop, cfg.window, noise, np.random.default_rng(seed), cfg.fit)
        assert prepared.grid == grid
        assert prepared.heatmaps is not None
        assert prepared.heatmaps.dtype == np.float32
        np.testing.assert_array_equal(prepared.heatmaps[0], raw / np.float32(65535))
        np.testing.assert_array_equal(prepared.heatmaps[1], 2 * prepared.heatmaps[0])
        without = prepare_window(
            crop_breast(replace(image, heatmaps=None), cfg), cfg, noise, np.random.default_rng(seed)
        )
        assert without.heatmaps is None
        np.testing.assert_array_equal(without.window, prepared.window)


def test_the_normalisation_can_be_undone() -> None:
    prepared = prepare(image_of(), CFG.model_copy(update={"intensity": "unit"}))
    assert prepared.heatmaps is not None
    assert prepared.window.max() == 1
    np.testing.assert_allclose(prepared.window * prepared.heatmaps[0].max(), prepared.heatmaps[0], rtol=1e-6)


def test_heatmaps_are_never_normalised() -> None:
    """All certain: 1 in the image, also beside the breast, and 0 in the padding."""
    image = image_of(60, 50)
    prepared = prepare(replace(image, heatmaps=np.full((2, 60, 50), 65535, np.uint16)), CFG)
    assert prepared.heatmaps is not None
    crop = crop_breast(image, CFG)
    assert set(np.unique(prepared.heatmaps)) == {0, 1}
    assert prepared.heatmaps.sum() == 2 * crop.pixels.size


def test_channels_are_what_the_model_wants() -> None:
    prepared = prepare(image_of(), CFG)
    assert prepared.channels(("benign", "malignant")).shape == (3, 128, 96)
    np.testing.assert_array_equal(prepared.channels(("benign", "malignant"))[0], prepared.window)
    np.testing.assert_array_equal(prepared.channels(("benign", "malignant"))[1:], prepared.heatmaps)
    alone = prepared.channels(())
    assert alone.shape == (1, 128, 96)
    assert np.shares_memory(alone, prepared.window)
    with pytest.raises(PrepError, match="a window without heatmaps was given to a model that sees them"):
        replace(prepared, heatmaps=None).channels(("benign", "malignant"))


@pytest.mark.parametrize(
    "heatmaps",
    [np.zeros((160, 110), np.uint16), np.zeros((2, 161, 110), np.uint16), np.zeros((2, 160, 110), np.float32)],
    ids=["one", "size", "type"],
)
def test_heatmaps_of_something_else_are_refused(heatmaps: NDArray[np.generic]) -> None:
    with pytest.raises(PrepError, match=r"a: the heatmaps are .* Expected \(classes, 160, 110\) and uint16"):
        crop_breast(replace(image_of(), heatmaps=heatmaps), CFG)  # type: ignore[arg-type]
