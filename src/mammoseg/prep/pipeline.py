"""From a mammogram to what the model sees: resample, find and cut out the breast, mirror, window, normalise.

Source   Released preprocessing of the NYU models; every step is described where it is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastBox, BreastCrop, PrepError, breast_box, largest_opened
from mammoseg.prep.centre import best_center
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.facts import measured
from mammoseg.prep.film import film_breast
from mammoseg.prep.normalize import normalize
from mammoseg.prep.orient import points_right
from mammoseg.prep.window import Uniform, WindowNoise, cut_out, grid_of, window_borders
from mammoseg.records.breast import BreastFacts
from mammoseg.records.grid import PixelGrid
from mammoseg.records.image import MAX_PIXELS, Mammogram

DType = TypeVar("DType", bound=np.generic)


@dataclass(frozen=True)
class Prepared:
    """One image ready for a model."""

    window: NDArray[np.float32]
    """(rows, columns) normalised intensities; the breast points right."""
    grid: PixelGrid
    """Where the window lies in the original image."""
    notes: tuple[str, ...]
    """What was found worth telling about the image, in plain words."""
    facts: BreastFacts | None = None
    """What was measured on the breast, for the window without displacement."""
    heatmaps: NDArray[np.float32] | None = None
    """(classes, rows, columns) probabilities in the window; None where the image has none."""

    def channels(self, heatmaps: Sequence[str]) -> NDArray[np.float32]:
        """(C, rows, columns) what a model sees: the window, and behind it the heatmaps of these classes.

        Raises PrepError if heatmaps are wanted and there are none.
        """
        if not heatmaps:
            return self.window[None]
        if self.heatmaps is None or len(self.heatmaps) != len(heatmaps):
            raise PrepError(
                "a window without heatmaps was given to a model that sees them. Expected those of "
                f"{' and '.join(heatmaps)} in the image. Read it with "
                "mammoseg.data.load.with_heatmaps before it is prepared."
            )
        return np.concatenate([self.window[None], self.heatmaps])


def prepare(image: Mammogram, cfg: PrepConfig) -> Prepared:
    """The whole preparation of one image, without randomness. Raises PrepError like `crop_breast`."""
    return prepare_window(crop_breast(image, cfg), cfg)


def prepare_window(
    crop: BreastCrop, cfg: PrepConfig, noise: WindowNoise | None = None, rng: Uniform | None = None
) -> Prepared:
    """The model window of a crop that was made with `cfg`; for `noise` and `rng` see `window_borders`.

    Heatmaps have the borders of the window, and are never normalised.
    """
    shape = cfg.window_of(crop.view)
    borders = window_borders(crop, shape, noise, rng, cfg.fit)
    window = normalize(cut_out(crop.pixels, borders, shape, cfg.fit), cfg.intensity)
    heatmaps = None
    if crop.heatmaps is not None:
        heatmaps = np.stack([cut_out(plane, borders, shape, cfg.fit) for plane in crop.heatmaps])
        heatmaps /= _CERTAIN
    return Prepared(window, grid_of(crop, borders, shape), crop.notes, crop.facts, heatmaps)


def window_grid(crop: BreastCrop, cfg: PrepConfig) -> PixelGrid:
    """Where the window of `prepare_window` without noise lies in the original image."""
    shape = cfg.window_of(crop.view)
    return grid_of(crop, window_borders(crop, shape, fit=cfg.fit), shape)


def crop_breast(image: Mammogram, cfg: PrepConfig) -> BreastCrop:
    """The breast cut out of an image and mirrored to point right, with the centre of its model window.

    An image whose pixel size is unknown is not resampled, which its notes tell. Raises PrepError if no breast is found, the
    pixels are not a two-dimensional picture of numbers, or heatmaps do not belong to them.
    """
    _check_arrays(image)
    shape = _working_shape(image, cfg)
    pixels = _resampled(image.pixels, shape)
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
            "Check the image. A model for such images is trained with prep.opening_px, prep.pixel_mm and prep.background to fit."
        )
    right, notes = points_right(image, breast)
    box = breast_box(breast, right, cfg)
    if box is None:
        raise PrepError(
            f"{image.image_id}: all of the breast found lies in the top {cfg.ignore_top:.0%} of its box. Expected a "
            "part of it below, where the nipple is looked for. Check the image. A model for such images is trained with a "
            "lower prep.ignore_top."
        )
    if cfg.background == "zero" and box.distance_from_starting_side:
        gap = box.distance_from_starting_side
        notes += (f"{gap} empty columns between chest wall and image border: check laterality and horizontal_flip",)
    cropped, heatmaps = _cropped(pixels, box, right), None
    if image.heatmaps is not None:
        heatmaps = np.stack([_cropped(_resampled(plane, shape), box, right) for plane in image.heatmaps])
    crop = BreastCrop(
        **vars(box),
        pixels=cropped,
        image_id=image.image_id,
        view=image.view,
        original_shape=(image.pixels.shape[0], image.pixels.shape[1]),
        working_shape=(pixels.shape[0], pixels.shape[1]),
        flipped=not right,
        best_center=best_center(cropped, box, image.view, cfg.window_of(image.view)),
        notes=notes,
        heatmaps=heatmaps,
    )
    return measured(crop, _cropped(breast, box, right), cfg, image.pixel_mm)


_CERTAIN = np.float32(65535)  # stands for a probability of 1 in heatmaps
_BACKGROUNDS = {"zero": "background of exact zeros", "film": "digitised film"}


def _check_arrays(image: Mammogram) -> None:
    pixels, heatmaps = image.pixels, image.heatmaps
    if pixels.ndim != 2 or pixels.size == 0 or pixels.dtype.kind not in "uif":
        raise PrepError(
            f"{image.image_id}: the pixels are an array of shape {pixels.shape} and type {pixels.dtype}. Expected "
            "(height, width) numbers, one per pixel. Read the file with mammoseg.io.read.read_pixels."
        )
    if heatmaps is not None and (heatmaps.shape[1:] != pixels.shape or heatmaps.dtype != np.uint16):
        raise PrepError(
            f"{image.image_id}: the heatmaps are an array of shape {heatmaps.shape} and type {heatmaps.dtype}. Expected "
            f"(classes, {pixels.shape[0]}, {pixels.shape[1]}) and uint16, a value per class and pixel of the image. Read the "
            "files with mammoseg.data.load.with_heatmaps."
        )


def _working_shape(image: Mammogram, cfg: PrepConfig) -> tuple[int, int] | None:
    """(rows, columns) at `cfg.pixel_mm`; None: the stored pixels are used as they are."""
    if cfg.pixel_mm is None or image.pixel_mm is None or cfg.pixel_mm == image.pixel_mm:
        return None
    scale = image.pixel_mm / cfg.pixel_mm
    rows, cols = (max(1, round(n * scale)) for n in image.pixels.shape)
    if (rows, cols) == image.pixels.shape:
        return None
    if rows * cols > MAX_PIXELS:
        raise PrepError(
            f"{image.image_id}: pixels of {image.pixel_mm} mm resampled to {cfg.pixel_mm} mm would make {rows} x "
            f"{cols} pixels. Expected a pixel size in millimetres (usually 0.05 to 0.2). Correct pixel_mm."
        )
    return rows, cols


def _cropped(plane: NDArray[DType], box: BreastBox, points_right: bool) -> NDArray[DType]:
    top, bottom, left, right = box.window
    inside = plane[top:bottom, left:right]
    return np.ascontiguousarray(inside if points_right else inside[:, ::-1])


def _resampled(plane: NDArray[np.generic], shape: tuple[int, int] | None) -> NDArray[np.generic]:
    """A channel (H, W) of the image with the pixels of the working image: stored values, or float32."""
    if shape is None:
        return plane
    return cv2.resize(plane.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
