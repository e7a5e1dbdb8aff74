"""Masks of either frame: the lesion ends up on the same tissue, in the file's pixels and in the window's."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.data.masks import Files, Masks, image_masks, readable_masks, window_masks
from mammoseg.io.read import ImageReadError
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import prepare
from mammoseg.records.grid import PixelGrid
from mammoseg.records.image import Mammogram

GRID = PixelGrid((60, 50), (60, 50), True, -2, 20, 48, 40, (48, 40))
"""A right breast: mirrored, two rows of padding above, ten columns of it beside the image's left border."""


@pytest.fixture
def store(tmp_path: Path) -> Callable[[str, NDArray[np.bool_]], Path]:
    def write(name: str, mask: NDArray[np.bool_]) -> Path:
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), mask.astype(np.uint8) * 255)
        return path

    return write


def box(shape: tuple[int, int], rows: slice, columns: slice) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize("frame", ["image", None])
def test_a_mask_of_the_image_is_taken_as_it_is(store: Callable[..., Path], frame: str | None) -> None:
    mask = box((60, 50), slice(20, 30), slice(3, 12))
    files: Files = {"malignant": store("m", mask)}
    found = image_masks(files, GRID, frame)
    assert list(found) == ["malignant"]
    np.testing.assert_array_equal(found["malignant"], mask)
    np.testing.assert_array_equal(window_masks(files, GRID, frame)["malignant"], GRID.project(mask))


def test_a_mask_of_the_window_lands_on_the_original_pixels(store: Callable[..., Path]) -> None:
    """By hand: window row r is image row r - 2, window column c is image column 50 - 1 - (c + 20)."""
    window = box((48, 40), slice(0, 6), slice(25, 35))  # partly in the padding above and beside
    files: Files = {"benign": store("b", window)}
    found = image_masks(files, GRID, "window")
    np.testing.assert_array_equal(found["benign"], box((60, 50), slice(0, 4), slice(0, 5)))
    assert found["benign"].dtype == bool
    np.testing.assert_array_equal(window_masks(files, GRID, "window")["benign"], window)


def test_a_mask_of_the_window_stays_on_its_lesion_whatever_preparation_did(store: Callable[..., Path]) -> None:
    """A right breast that is resampled, mirrored, cut and padded: the bright spot of the window is that of the file."""
    pixels = np.zeros((120, 80), np.uint16)
    cv2.ellipse(pixels, (79, 60), (60, 45), 0, 0, 360, 1000, -1)
    spot = box((120, 80), slice(50, 60), slice(40, 52))
    pixels[spot] = 4000
    image = Mammogram(pixels, "R", "CC", "r", pixel_mm=0.1)
    prepared = prepare(image, PrepConfig(window=(96, 64), pixel_mm=0.2, opening_px=1, buffer_px=2))
    assert prepared.grid.flipped
    assert prepared.grid.top < 0, "padded"
    window = prepared.window > (prepared.window.min() + prepared.window.max()) / 2
    found = image_masks({"malignant": store("m", window)}, prepared.grid, "window")["malignant"]
    np.testing.assert_array_equal(found, spot)


@pytest.mark.parametrize("read", [image_masks, window_masks])
@pytest.mark.parametrize(
    ("frame", "shape", "message"),
    [
        (
            None,
            (48, 40),
            r"m\.png: the mask has \(48, 40\) pixels. Expected \(60, 50\), since its mask_frame is 'image'",
        ),
        ("image", (50, 60), r"\(50, 60\) pixels. Expected \(60, 50\)"),
        (
            "window",
            (60, 50),
            r"\(60, 50\) pixels. Expected \(48, 40\), since its mask_frame is 'window': the image file",
        ),
    ],
)
def test_another_size_is_told_with_what_to_do(
    store: Callable[..., Path],
    read: Callable[..., Masks],
    frame: str | None,
    shape: tuple[int, int],
    message: str,
) -> None:
    files = {"malignant": store("m", np.ones(shape, bool))}
    with pytest.raises(ImageReadError, match=message + r".*(malignant_mask or mask_frame in the manifest)"):
        read(files, GRID, frame)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"no image")
    with pytest.raises(ImageReadError, match=r"m\.png"):
        image_masks({"malignant": tmp_path / "m.png"}, GRID, None)


def test_a_mask_that_cannot_be_read_does_not_cost_the_other(tmp_path: Path) -> None:
    mask = np.zeros(GRID.original_shape, np.uint8)
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    files = {"benign": tmp_path / "gone.png", "malignant": tmp_path / "m.png"}
    truth = readable_masks(files, GRID, None)
    assert list(truth.masks) == ["malignant"]
    assert list(truth.unread) == ["benign"]
    assert "gone.png" in truth.unread["benign"]
