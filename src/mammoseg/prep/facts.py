"""What is measured on the breast while an image is prepared: above all how much of it the model will see."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastCrop, Mask
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.window import window_borders
from mammoseg.records.breast import PERCENTILES, BreastFacts

_SAMPLE = 500  # rows, and columns, that percentiles are taken from


def measured(crop: BreastCrop, breast: Mask, cfg: PrepConfig, pixel_mm: float | None) -> BreastCrop:
    """The crop with its facts, and with a note where the window misses the breast or the breast is lost in the window.

    `breast` (h, w) is the mask of the breast on the pixels of the crop, `pixel_mm` the pixel side of the file.
    """
    borders = window_borders(crop, cfg.window_of(crop.view), fit=cfg.fit)
    rows = slice(max(0, borders.top - borders.pad_top), max(0, borders.bottom - borders.pad_top))
    inside = breast[rows, max(0, borders.left) : max(0, borders.right)]
    seen, whole = int(np.count_nonzero(inside)), int(np.count_nonzero(breast))
    shown = (borders.bottom - borders.top) * (borders.right - borders.left)
    levels = _levels(crop.pixels, breast)
    facts = BreastFacts(
        in_window=seen / whole if whole else 0.0,
        fills_window=seen / shown,
        area_mm2=None if pixel_mm is None else whole * pixel_mm**2 * _pixels_of_the_file(crop),
        pixel_mm=pixel_mm,
        levels=levels,
        grain=_grain(crop.pixels, breast) / max(levels[-1], 1e-6),
    )
    return replace(crop, facts=facts, notes=(*crop.notes, *_notes(facts, cfg)))


def _pixels_of_the_file(crop: BreastCrop) -> float:
    """How many pixels of the file one working pixel stands for."""
    (rows, cols), (working_rows, working_cols) = crop.original_shape, crop.working_shape
    return rows * cols / (working_rows * working_cols)


def _levels(pixels: NDArray[np.generic], breast: Mask) -> tuple[float, ...]:
    step = np.s_[:: max(1, pixels.shape[0] // _SAMPLE), :: max(1, pixels.shape[1] // _SAMPLE)]
    tissue = pixels[step][breast[step]]
    values = (tissue if tissue.size else pixels).astype(np.float32)
    return tuple(np.percentile(values, PERCENTILES).tolist())


def _grain(pixels: NDArray[np.generic], breast: Mask) -> float:
    inside = cv2.erode(breast.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    differences = (
        np.abs(cv2.Laplacian(pixels.astype(np.float32), cv2.CV_32F)) / 4
    )  # the sum of the four, less four times
    return float(cv2.mean(differences, inside)[0])


def _notes(facts: BreastFacts, cfg: PrepConfig) -> list[str]:
    """In the same words for every image that has the same trouble, but for the numbers."""
    notes = []
    if facts.pixel_mm is None and cfg.pixel_mm is not None:
        notes.append(f"the pixel size is unknown: pixels are used as they are, not resampled to {cfg.pixel_mm:g} mm")
    if facts.in_window < cfg.least_in_window:
        notes.append(
            f"only {facts.in_window:.0%} of the breast is inside the model window (at least {cfg.least_in_window:.0%})"
        )
    if facts.fills_window < cfg.least_filled:
        notes.append(
            f"the breast fills only {facts.fills_window:.1%} of the model window (at least {cfg.least_filled:.0%})"
        )
    return notes
