"""What the pixels tell, on generated breasts: nothing about good ones, one thing about each fault."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.ingest.quality import GREY, NO_BREAST, TEXT, WRONG_SIDE, check_pixels, pixel_hash
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam
from mammoseg.records.image import Laterality, Mammogram

Pixels = NDArray[np.uint16]


def breast(rows: int = 1664, columns: int = 1280) -> Pixels:
    """Points right, as a left breast does."""
    y, x = np.mgrid[:rows, :columns]
    inside = ((y / rows - 0.5) / 0.4) ** 2 + (x / columns / 0.65) ** 2 <= 1
    return np.where(inside, 800 + y % 512 + x % 128, 0).astype(np.uint16)


def findings(pixels: NDArray[np.generic], side: Laterality = "L", flip: bool | None = None) -> tuple[str, ...]:
    return check_pixels(Mammogram(pixels, side, "CC", "", None, flip)).findings


def write(pixels: Pixels, text: str, value: int = 4095) -> Pixels:
    drawn = cv2.putText(np.zeros(pixels.shape, np.uint8), text, (700, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 4)
    return np.where(drawn > 127, np.uint16(value), pixels)


@pytest.mark.parametrize("rows", [1664, 3328, 200])
def test_nothing_about_a_good_image(rows: int) -> None:
    image = breast(rows, rows * 10 // 13)
    assert findings(image) == findings(image[:, ::-1], "R") == ()
    assert findings(image, flip=False) == findings(image[:, ::-1], "L", flip=True) == ()
    assert findings((image >> 4).astype(np.uint8)) == ()


def test_nothing_about_phantoms() -> None:
    images = generate_exam(PhantomConfig.small(), 0, 0).images.values()
    assert [findings(image.pixels, image.laterality) for image in images] == [()] * 4


@pytest.mark.parametrize("flip", [None, False])
def test_wrong_side(flip: bool | None) -> None:
    assert findings(breast(), "R", flip) == findings(breast()[:, ::-1], "L", flip) == (WRONG_SIDE,)
    assert findings(breast(), "L", flip=True) == (WRONG_SIDE,)


def test_grey_background_does_not_hide_the_side() -> None:
    noise = np.random.default_rng(0).integers(1, 40, breast().shape).astype(np.uint16)
    grey = np.maximum(breast(), noise)
    assert findings(grey) == (GREY,)
    assert findings(grey, "R") == (GREY, WRONG_SIDE)
    speckled = np.where(noise < 10, breast() + noise, breast()).astype(np.uint16)
    assert findings(speckled) == (GREY,)


def test_text_but_no_marker_of_side_and_view() -> None:
    assert findings(write(breast(), "DOE JANE 1937-01-01")) == (TEXT,)
    assert findings(write(breast(), "R CC AB")) == ()
    assert findings(write(breast(), "DOE JANE 1937-01-01", value=600)) == ()


def test_no_breast() -> None:
    empty = np.zeros((1000, 800), np.uint16)
    empty[100:110, 100:110] = 5
    assert findings(empty) == (NO_BREAST,)


def test_a_blank_picture() -> None:
    facts = check_pixels(Mammogram(np.full((100, 80), 7, np.uint8), "L", "CC", ""))
    assert (facts.blank, facts.findings) == (True, ())
    assert not check_pixels(Mammogram(breast(), "L", "CC", "")).blank


def test_two_values_are_those_of_a_mask() -> None:
    mask = (breast() > 0).astype(np.uint8) * 255
    assert check_pixels(Mammogram(mask, "L", "CC", "")).two_values
    mask[1, 1] = 7  # not among the pixels that are looked at first
    assert not check_pixels(Mammogram(mask, "L", "CC", "")).two_values
    assert not check_pixels(Mammogram(np.zeros((100, 80), np.uint8), "L", "CC", "")).two_values


def test_hash_tells_pixels_apart() -> None:
    image = breast(80, 64)
    changed = image.copy()
    changed[40, 3] += 1
    different = [image, changed, image[::-1], image.reshape(64, 80), image.astype(np.uint8), image[:, ::-1]]
    assert len({pixel_hash(pixels) for pixels in different}) == len(different)
    assert pixel_hash(image.astype(">u2")) == pixel_hash(np.asfortranarray(image)) == pixel_hash(image)
