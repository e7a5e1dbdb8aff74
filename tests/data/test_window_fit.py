"""A window that misses the breast is refused, with a setting that fits; one that fits is not."""

import numpy as np
import pytest

from mammoseg.data.window_fit import WindowError, check_window, glance
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.records.breast import BreastFacts
from mammoseg.records.image import Mammogram

PREP = PrepConfig(window=(210, 110), opening_px=5, buffer_px=4)


def facts(prep: PrepConfig, pixel_mm: float | None, radius: int = 400) -> list[BreastFacts]:
    """Three half discs of a radius in pixels, and 10 % less and more."""
    found = []
    for r in (0.9 * radius, radius, 1.1 * radius):
        y, x = np.mgrid[: 3 * radius, : 2 * radius]
        pixels = np.where((y - 1.5 * radius) ** 2 + x**2 <= r**2, 1000, 0).astype(np.uint16)
        crop = crop_breast(Mammogram(pixels, "L", "CC", "a", pixel_mm, False), prep)
        assert crop.facts is not None
        found.append(crop.facts)
    return found


def test_images_that_fit() -> None:
    check_window(facts(PREP.model_copy(update={"pixel_mm": 0.4}), 0.1), PREP, "a.csv")
    check_window([], PREP, "a.csv")


@pytest.mark.parametrize("radius", [400, 20], ids=["too large", "too small"])
@pytest.mark.parametrize("wanted", [None, 0.1])
def test_the_setting_that_is_named_fits(wanted: float | None, radius: int) -> None:
    prep = PREP.model_copy(update={"pixel_mm": wanted})
    with pytest.raises(WindowError, match=r"^a.csv: in the median image .* 210 x 110 window") as error:
        check_window(facts(prep, 0.1, radius), prep, "a.csv")
    setting = str(error.value).partition("--set prep.pixel_mm=")[2].partition(",")[0]
    fitting = PREP.model_copy(update={"pixel_mm": float(setting)})
    check_window(facts(fitting, 0.1, radius), fitting, "a.csv")
    whole = PREP.model_copy(update={"fit": "resize"})
    check_window(facts(whole, 0.1, radius), whole, "a.csv")


def test_an_unknown_pixel_size_is_asked_for() -> None:
    prep = PREP.model_copy(update={"pixel_mm": 0.4})
    with pytest.raises(WindowError) as error:
        check_window(facts(prep, None), prep, "a.csv")
    assert "The pixel size of 3 of 3 images is unknown, so they cannot be resampled to 0.4 mm." in str(error.value)
    assert "--pixel-mm" in str(error.value)
    assert "--set prep.fit=resize" in str(error.value)


def test_a_model_that_is_trained_cannot_be_prepared_for_in_another_way() -> None:
    resampled = PREP.model_copy(update={"pixel_mm": 0.4})
    with pytest.raises(WindowError) as error:
        check_window(facts(resampled, None), resampled, "out", trained=True)
    assert str(error.value).endswith("Give it with --pixel-mm (in mm), or in the column pixel_mm of the manifest.")
    for prep, pixel_mm in ((PREP, 0.1), (PREP, None)):
        with pytest.raises(WindowError, match=r"Train a model for such images: with --set prep.pixel_mm=\d"):
            check_window(facts(prep, pixel_mm), prep, "out", trained=True)


def test_the_median_decides_and_the_limit_can_be_set() -> None:
    small, large = facts(PREP, 0.1, 80), facts(PREP, 0.1, 400)
    check_window([*small, *large[:2]], PREP, "a.csv")
    with pytest.raises(WindowError):
        check_window([*small[:2], *large], PREP, "a.csv")
    check_window(large, PREP.model_copy(update={"least_in_window": 0.0}), "a.csv")


@pytest.mark.parametrize("pixel_mm", [None, 0.1, 0.4])
@pytest.mark.parametrize("wanted", [None, 0.2])
@pytest.mark.parametrize("points_right", [True, False])
def test_a_glance_sees_what_the_preparation_sees(
    pixel_mm: float | None, wanted: float | None, points_right: bool
) -> None:
    y, x = np.mgrid[:1500, :1000]
    pixels = np.where((y - 700) ** 2 + x**2 <= 400**2, 1000 + y % 100, 0).astype(np.uint16)
    side, shown = ("L", pixels) if points_right else ("R", pixels[:, ::-1])
    image = Mammogram(shown, side, "MLO", "a", pixel_mm, False)
    prep = PREP.model_copy(update={"window": (600, 300), "opening_px": 20, "pixel_mm": wanted})
    exact, seen = crop_breast(image, prep).facts, glance(image, prep)
    assert exact is not None
    assert seen is not None
    assert seen.in_window == pytest.approx(exact.in_window, abs=0.04)
    assert seen.fills_window == pytest.approx(exact.fills_window, abs=0.04)
    assert (seen.pixel_mm, seen.area_mm2 is None) == (exact.pixel_mm, exact.area_mm2 is None)
    if exact.area_mm2:
        assert seen.area_mm2 == pytest.approx(exact.area_mm2, rel=0.02)


def test_a_glance_at_nothing() -> None:
    assert glance(Mammogram(np.zeros((300, 200), np.uint16), "L", "CC", "a"), PREP) is None
