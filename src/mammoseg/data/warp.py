"""Random affine change of a training window, and noise: for films and other pictures of the whole breast.

    point -> centre + shift + flip . rotation . shear . scale (point - centre)

Everything that lies on the window moves with it: heatmaps, masks, outlines, boxes, patches. What comes in from beyond the border
has the darkest value of the window, which is that of the background, and no lesion.

Source   GMIC for CBIS-DDSM (Shen et al. 2021, arXiv:2002.07613): left-right flip by chance, rotation by up to 15 degrees, shift by
         up to a tenth, scale 0.8 to 1.6, shear by up to 25 degrees, Gaussian noise of 0.005. Order and borders are our choice.
Shapes   H, W window pixels; points are (row, column)
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from mammoseg.config import Config
from mammoseg.records.finding import Box

Matrix = NDArray[np.float64]
"""(2, 3): a point (row, column, 1) -> where it is moved to."""


class WarpConfig(Config):
    """Each number is the largest absolute value that is drawn, unless it says otherwise; the defaults are the paper's."""

    flip: bool = True
    """Mirrored left-right with a chance of one half."""
    rotation_deg: float = Field(15.0, ge=0, le=180)
    shift: float = Field(0.1, ge=0, le=0.5)
    """As a share of each side."""
    scale: tuple[float, float] = (0.8, 1.6)
    """Smallest and largest."""
    shear_deg: float = Field(25.0, ge=0, lt=90)
    noise: float = Field(0.005, ge=0)
    """Standard deviation that is added to every pixel of the mammogram, in units of the prepared window."""

    @field_validator("scale")
    @classmethod
    def _sizes(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if not 0.1 <= scale[0] <= scale[1] <= 10:
            raise ValueError(f"the smallest scale comes first, both from 0.1 to 10, got {scale}")
        return scale


def draw(config: WarpConfig, shape: tuple[int, int], rng: np.random.Generator) -> Matrix:
    flip, turn, row, col, scale, shear = rng.uniform(size=6)
    angle, slope = (
        np.deg2rad(config.rotation_deg * (2 * turn - 1)),
        np.tan(np.deg2rad(config.shear_deg * (2 * shear - 1))),
    )
    low, high = config.scale
    mirror = np.diag([1.0, -1.0 if config.flip and flip < 0.5 else 1.0])
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = mirror @ rotation @ np.array([[1, 0], [slope, 1]]) * (low + (high - low) * scale)
    sides = np.array(shape, np.float64)
    moved = sides / 2 + config.shift * sides * (2 * np.array([row, col]) - 1) - linear @ (sides / 2)
    return np.column_stack([linear, moved])


def warp_points(points: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float64]:
    """(..., 2) -> (..., 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def warp_image(plane_HW: NDArray[np.float32], matrix: Matrix, beyond: float) -> NDArray[np.float32]:
    return _warped(plane_HW, matrix, beyond, cv2.INTER_LINEAR)


def warp_mask(mask_HW: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """By nearest neighbour; NaN (unknown) stays so, and is all that comes in from beyond the border of an unknown mask."""
    beyond = float("nan") if np.isnan(mask_HW).all() else 0.0
    return _warped(mask_HW, matrix, beyond, cv2.INTER_NEAREST)


def warp_boxes(boxes: Iterable[Box], matrix: Matrix) -> tuple[Box, ...]:
    """The smallest boxes around the moved ones."""
    found = []
    for top, left, bottom, right in boxes:
        corners = warp_points(np.array([[top, left], [top, right], [bottom, left], [bottom, right]]), matrix)
        (row_a, col_a), (row_b, col_b) = corners.min(0).tolist(), corners.max(0).tolist()
        found.append((row_a, col_a, row_b, col_b))
    return tuple(found)


def _warped(plane_HW: NDArray[np.float32], matrix: Matrix, beyond: float, how: int) -> NDArray[np.float32]:
    """OpenCV counts (x, y) from the middle of the first pixel, we (row, column) from its corner."""
    linear, moved = matrix[::-1, 1::-1], matrix[::-1, 2]
    middles = np.column_stack([linear, moved + linear @ [0.5, 0.5] - 0.5])
    size = plane_HW.shape[1], plane_HW.shape[0]
    warped = cv2.warpAffine(plane_HW, middles, size, flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond)
    return np.asarray(warped, np.float32)
