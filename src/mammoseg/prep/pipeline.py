"""From a mammogram to what the model sees: resample, find and cut out the breast, mirror, window, normalise.

Source   Released preprocessing of the NYU models; every step is described where it is done.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastCrop, PrepError, breast_box, largest_opened
from mammoseg.prep.centre import best_center
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.film import film_breast
from mammoseg.prep.normalize import normalize
from mammoseg.prep.orient import points_right
from mammoseg.prep.window import cut_window
from mammoseg.records.grid import PixelGrid
from mammoseg.records.image import Mammogram


@dataclass(frozen=True)
class Prepared:
    """One image ready for a model."""

    window: NDArray[np.float32]
    """(rows, columns) normalised intensities; the breast points right."""
    grid: PixelGrid
    """Where the window lies in the original image."""
    notes: tuple[str, ...]
    """What was found worth telling about the image, in plain words."""


def prepare(image: Mammogram, cfg: PrepConfig) -> Prepared:
    """The whole preparation of one image, without randomness. Raises PrepError like `crop_breast`."""
    crop = crop_breast(image, cfg)
    window, grid = cut_window(crop, cfg.window)
    return Prepared(normalize(window), grid, crop.notes)


def crop_breast(image: Mammogram, cfg: PrepConfig) -> BreastCrop:
    """The breast cut out of an image and mirrored to point right, with the centre of its model window.

    Raises PrepError if no breast is found, the pixels are not a two-dimensional picture of numbers, or the image has to
    be resampled and its pixel size is unknown.
    """
    pixels = _resampled(image, cfg)
    if cfg.background == "film":
        breast = film_breast(pixels, cfg.opening_px)
        if breast is not None:
            pixels = np.where(breast, pixels, pixels.dtype.type(0))
    else:
        breast = largest_opened(np.greater(pixels, 0), cfg.opening_px)
    if breast is None:
        raise PrepError(
            f"{image.image_id}: no breast found in {pixels.shape[0]} x {pixels.shape[1]} pixels "
            f"({np.count_nonzero(pixels)} of them not 0): nothing is left after an opening by {cfg.opening_px} pixels. "
            f"Expected a breast more than {2 * cfg.opening_px} pixels wide on a {_BACKGROUNDS[cfg.background]}. "
            "Check the image, or set prep.opening_px, prep.pixel_mm and prep.background to fit it."
        )
    right, notes = points_right(image, breast)
    box = breast_box(breast, right, cfg)
    if box is None:
        raise PrepError(
            f"{image.image_id}: all of the breast found lies in the top {cfg.ignore_top:.0%} of its box. Expected a "
            "part of it below, where the nipple is looked for. Check the image, or lower prep.ignore_top."
        )
    if cfg.background == "zero" and box.distance_from_starting_side:
        gap = box.distance_from_starting_side
        notes += (f"{gap} empty columns between chest wall and image border: check laterality and horizontal_flip",)
    top, bottom, left, end = box.window
    cropped = pixels[top:bottom, left:end]
    cropped = np.ascontiguousarray(cropped if right else cropped[:, ::-1])
    return BreastCrop(
        pixels=cropped,
        image_id=image.image_id,
        view=image.view,
        original_shape=(image.pixels.shape[0], image.pixels.shape[1]),
        working_shape=(pixels.shape[0], pixels.shape[1]),
        flipped=not right,
        window=box.window,
        rightmost_points=box.rightmost_points,
        bottommost_points=box.bottommost_points,
        distance_from_starting_side=box.distance_from_starting_side,
        best_center=best_center(cropped, box, image.view, cfg.window),
        notes=notes,
    )


_MAX_PIXELS = 150_000_000  # six times a large mammogram
_BACKGROUNDS = {"zero": "background of exact zeros", "film": "digitised film"}


def _resampled(image: Mammogram, cfg: PrepConfig) -> NDArray[np.generic]:
    """The working image: stored values, or float32 at `cfg.pixel_mm`."""
    pixels = image.pixels
    if pixels.ndim != 2 or pixels.size == 0 or pixels.dtype.kind not in "uif":
        raise PrepError(
            f"{image.image_id}: the pixels are an array of shape {pixels.shape} and type {pixels.dtype}. Expected "
            "(height, width) numbers, one per pixel. Read the file with mammoseg.io.read.read_pixels."
        )
    if cfg.pixel_mm is None or cfg.pixel_mm == image.pixel_mm:
        return pixels
    if image.pixel_mm is None:
        raise PrepError(
            f"{image.image_id}: the pixel size is unknown, but images are to be resampled to {cfg.pixel_mm} mm. "
            "Expected a size in mm. Fill the pixel_mm column of the manifest, or give --pixel-mm for files without one."
        )
    scale = image.pixel_mm / cfg.pixel_mm
    rows, cols = (max(1, round(n * scale)) for n in pixels.shape)
    if rows * cols > _MAX_PIXELS:
        raise PrepError(
            f"{image.image_id}: pixels of {image.pixel_mm} mm resampled to {cfg.pixel_mm} mm would make {rows} x "
            f"{cols} pixels. Expected a pixel size in millimetres (usually 0.05 to 0.2). Correct pixel_mm."
        )
    return cv2.resize(pixels.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
