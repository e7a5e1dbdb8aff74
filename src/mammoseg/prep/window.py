"""Cutting the model window out of a breast crop, with optional random displacement.

Padding  A crop smaller than the window is padded with zeros: CC above and below, MLO below, all on the right. Windows
         that stick out are moved back inside. With noise the padding leaves room for it.
Noise    Location: the whole window moves by up to (ny, nx) pixels. Size: each border moves by up to `size` pixels on
         its own, after which the window is resized (bicubic) to its nominal shape.
Resize   With `fit` = "resize" the whole crop is resized to the window. It is a window of the crop's own shape until then:
         the same padding, noise and draws. An axis that shrinks is averaged over areas, so that no pixel is skipped; one
         that grows is interpolated linearly, which, unlike bicubic, leaves no values below 0 or above the largest.

Source   Released preprocessing of the NYU models; bit-identical draws and borders. Resizing: GMIC for CBIS-DDSM, which does
         not say how to interpolate.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import Fit
from mammoseg.prep.projection import projection_of
from mammoseg.records.grid import PixelGrid

Shape = tuple[int, int]


class Uniform(Protocol):
    """What is needed of a random generator: numpy's Generator and RandomState both have it."""

    def uniform(self, low: float, high: float, size: int) -> Any: ...


@dataclass(frozen=True)
class WindowNoise:
    """How far a window may be displaced, in working pixels. Source of the defaults: released NYU pipeline."""

    location: tuple[int, int] = (100, 100)
    """Largest shift (rows, columns)."""
    size: int = 100
    """Largest shift of each border; columns in proportion to the window's shape."""


@dataclass(frozen=True)
class Borders:
    """A window in the frame of the padded crop, ends exclusive."""

    top: int
    bottom: int
    left: int
    right: int
    padded_shape: Shape
    """(rows, columns) of the padded crop."""
    pad_top: int
    """Rows of padding above the crop."""


def cut_window(
    crop: BreastCrop,
    window: Shape,
    noise: WindowNoise | None = None,
    rng: Uniform | None = None,
    fit: Fit = "cut",
) -> tuple[NDArray[np.float32], PixelGrid]:
    """The window (rows, columns) of a crop, raw intensities as float32, and where it lies in the original image.

    `window` is the shape the crop was centred for (`PrepConfig.window_of`). For `noise` and `rng` see `window_borders`.
    """
    borders = window_borders(crop, window, noise, rng, fit)
    return cut_out(crop.pixels, borders, window, fit), grid_of(crop, borders, window)


def window_borders(
    crop: BreastCrop, window: Shape, noise: WindowNoise | None = None, rng: Uniform | None = None, fit: Fit = "cut"
) -> Borders:
    """What of the (padded) crop is in the window.

    With `noise` the position and size are drawn from `rng`: two numbers if the location noise is not 0, then always four.
    Raises ValueError for noise without `rng` and for size noise of half the window or more. A crop that is resized takes
    any: its borders move by less than half of it.
    """
    if fit == "resize":
        height, width = window = crop.pixels.shape[0], crop.pixels.shape[1]
        crop = replace(crop, best_center=(height // 2, width // 2))
        noise = noise and replace(noise, size=min(noise.size, (min(window) - 1) // 2))
    borders = nominal_borders(crop, window, noise)
    if noise is not None:
        if rng is None:
            raise ValueError("cut_window: window noise needs random numbers, but rng is None. Pass a numpy Generator.")
        if 2 * noise.size >= min(window):
            raise ValueError(
                f"cut_window: size noise {noise.size} could empty a window of {window}. "
                f"Expected less than half the shorter side: use at most {(min(window) - 1) // 2}."
            )
        borders = resized_borders(moved_borders(borders, noise, rng), window, noise, rng)
    return borders


def nominal_borders(crop: BreastCrop, window: Shape, noise: WindowNoise | None = None) -> Borders:
    """The window around the crop's centre, padded with room for `noise`, inside the padded crop."""
    (height, width), (rows, cols) = crop.pixels.shape, window
    (y, x), (shift_y, shift_x) = crop.best_center, noise.location if noise else (0, 0)
    size = noise.size if noise else 0
    top, left, pad_top = y - rows // 2, x - cols // 2, 0
    if projection_of(crop.view) == "CC":
        missing = rows - height + 2 * (shift_y + size)
        if missing > 0:
            pad_top, height, top = missing // 2, height + missing, shift_y + size
    elif (missing := rows - height + shift_y + size) > 0:
        height, top = height + missing, 0
    if (missing := cols - width + shift_x + size) > 0:
        width, left = width + missing, 0
    top, left = _inside(top, rows, height), _inside(left, cols, width)
    return Borders(top, top + rows, left, left + cols, (height, width), pad_top)


def moved_borders(borders: Borders, noise: WindowNoise, rng: Uniform) -> Borders:
    """Location noise: the window shifted inside the padded crop, away from a border it touches."""
    if not any(noise.location):
        return borders
    draws = rng.uniform(-1, 1, 2)
    height, width = borders.padded_shape
    y = _shift(draws[0], noise.location[0], borders.top, borders.bottom, height)
    x = _shift(draws[1], noise.location[1], borders.left, borders.right, width)
    return replace(
        borders, top=borders.top + y, bottom=borders.bottom + y, left=borders.left + x, right=borders.right + x
    )


def resized_borders(borders: Borders, window: Shape, noise: WindowNoise, rng: Uniform) -> Borders:
    """Size noise: each border shifted on its own, inside the padded crop."""
    draws = rng.uniform(-1, 1, 4)
    (height, width), (rows, cols) = borders.padded_shape, window
    size = min(noise.size, borders.top, height - borders.bottom, borders.left, width - borders.right)
    vertical, horizontal = (size, round(size * cols / rows)) if rows >= cols else (round(size * rows / cols), size)
    shifts = [round(float(draw) * reach) for draw, reach in zip(draws, [vertical] * 2 + [horizontal] * 2, strict=True)]
    return replace(
        borders,
        top=borders.top + shifts[0],
        bottom=borders.bottom + shifts[1],
        left=borders.left + shifts[2],
        right=borders.right + shifts[3],
    )


def _inside(start: int, length: int, size: int) -> int:
    """The start of a window moved into [0, size); a window that leaves at the start is not checked at the end."""
    if start < 0:
        return 0
    return min(start, size - length)


def _shift(draw: float, reach: int, start: int, end: int, size: int) -> int:
    if start == 0:
        draw = abs(draw)
    elif end == size:
        draw = -abs(draw)
    return round(float(draw) * min(reach, size - end if draw >= 0 else start))


def cut_out(plane: NDArray[np.generic], borders: Borders, window: Shape, fit: Fit = "cut") -> NDArray[np.float32]:
    """What of one channel (h, w) of the crop is inside the borders, as float32 with the pixels of the window."""
    top, bottom = borders.top - borders.pad_top, borders.bottom - borders.pad_top
    left, right = borders.left, borders.right
    cut = np.zeros((bottom - top, right - left), dtype=np.float32)
    shown = plane[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    y, x = max(0, -top), max(0, -left)
    cut[y : y + shown.shape[0], x : x + shown.shape[1]] = shown  # nothing, where noise moved the window off the crop
    if fit == "resize":
        smaller = min(cut.shape[0], window[0]), min(cut.shape[1], window[1])
        return _resized(_resized(cut, smaller, cv2.INTER_AREA), window, cv2.INTER_LINEAR)
    return _resized(cut, window, cv2.INTER_CUBIC)


def grid_of(crop: BreastCrop, borders: Borders, window: Shape) -> PixelGrid:
    """Where the borders lie in the original image."""
    box_top, _, box_left, box_right = crop.window
    origin = crop.working_shape[1] - box_right if crop.flipped else box_left
    return PixelGrid(
        original_shape=crop.original_shape,
        working_shape=crop.working_shape,
        flipped=crop.flipped,
        top=box_top + borders.top - borders.pad_top,
        left=origin + borders.left,
        height=borders.bottom - borders.top,
        width=borders.right - borders.left,
        model_shape=window,
    )


def _resized(plane: NDArray[np.float32], shape: Shape, interpolation: int) -> NDArray[np.float32]:
    if plane.shape == shape:
        return plane
    return cv2.resize(plane, (shape[1], shape[0]), interpolation=interpolation).astype(np.float32, copy=False)
