"""Where the breast is: its mask and the box to cut out.

    M      = foreground pixels
    eroded = {p in M : city-block distance to the nearest pixel outside M or outside the image > r}
    L      = {p : city-block distance to the largest 4-connected component of `eroded` <= r}

L is the opening of M with a diamond of radius r, restricted to one component. Everything below is measured on L.

Source   Released preprocessing of the NYU models (r = 100). There: r-fold binary erosion and dilation; the distance
         transform gives the same masks.
Deviates Nothing. As there, x positions of mirrored breasts are counted from one pixel too far right (`W - x` for
         `W - 1 - x`): the published window positions depend on it. Pixels are mirrored exactly.
Units    Rows and columns of the working image, 0-based; ends are exclusive.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts

Mask = NDArray[np.bool_]


class PrepError(ValueError):
    """An image that cannot be prepared; the message says why and what to do."""


@dataclass(frozen=True)
class BreastBox:
    """The box around one breast, with the landmarks that place the model window."""

    window: tuple[int, int, int, int]
    """(top, bottom, left, right) in the frame of the working image, not mirrored."""
    rightmost_points: tuple[tuple[int, int], int]
    """((first row, last row), column) of the extreme point on the nipple side, in the mirrored crop."""
    bottommost_points: tuple[int, tuple[int, int]]
    """(row, (first column, last column)) of the lowest points, in the mirrored crop."""
    distance_from_starting_side: int
    """Columns between the chest wall and the image border; 0 is expected."""


@dataclass(frozen=True)
class BreastCrop(BreastBox):
    """The breast of one image, mirrored to point right, with all that is needed to cut model windows from it.

    Apart from `pixels`, `heatmaps` and `facts` every field is plain (numbers, text, tuples of them): easily stored.
    """

    pixels: NDArray[np.generic]
    """(h, w) crop in working pixels, mirrored where `flipped`; the dtype of the working image."""
    image_id: str
    view: str
    original_shape: tuple[int, int]
    """(H, W) of the file."""
    working_shape: tuple[int, int]
    """(H, W) after resampling."""
    flipped: bool
    """Whether the breast points left in the file, so that the crop was mirrored."""
    best_center: tuple[int, int]
    """(row, column) of the crop on which the model window is centred; may lie outside the crop."""
    notes: tuple[str, ...] = ()
    """What was found worth telling about the image, in plain words."""
    facts: BreastFacts | None = None
    """Filled in by `crop_breast`."""
    heatmaps: NDArray[np.generic] | None = None
    """(classes, h, w) `Mammogram.heatmaps` on the pixels of the crop, or None."""


def largest_opened(mask: Mask, radius: int) -> Mask | None:
    """The largest component of `mask` after an opening by `radius` pixels (L above), or None if nothing is left."""
    eroded = mask.astype(np.uint8)
    if radius > 0:
        eroded = (_city_block(np.pad(eroded, 1))[1:-1, 1:-1] > radius).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(eroded, connectivity=4)
    if len(stats) == 1:
        return None
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, width, height = stats[label, :4].tolist()
    rows, cols = mask.shape
    reach = np.s_[
        max(0, y - radius) : min(rows, y + height + radius),
        max(0, x - radius) : min(cols, x + width + radius),
    ]
    outside = (labels[reach] != label).astype(np.uint8)
    opened = np.zeros(mask.shape, dtype=bool)
    opened[reach] = _city_block(outside) <= radius
    return opened


def breast_box(breast: Mask, points_right: bool, cfg: PrepConfig) -> BreastBox | None:
    """Box and landmarks of a non-empty breast mask (H, W) that points right or left in the file.

    None if the mask has no pixel below the ignored top part of the box.
    """
    height, width = breast.shape
    in_rows = np.flatnonzero(breast.any(axis=1))
    in_cols = np.flatnonzero(breast.any(axis=0))
    lowest, left, right = int(in_rows[-1]), int(in_cols[0]), int(in_cols[-1]) + 1
    lowest_cols = np.flatnonzero(breast[lowest])
    top = max(0, int(in_rows[0]) - cfg.buffer_px)
    bottom = min(height, lowest + 1 + cfg.buffer_px)
    distance = left if points_right else width - right
    if points_right:
        right = min(width, right + cfg.buffer_px)
        lowest_x = (int(lowest_cols[0]) - left, int(lowest_cols[-1]) - left)
    else:
        left = max(0, left - cfg.buffer_px)
        lowest_x = (right - int(lowest_cols[-1]), right - int(lowest_cols[0]))

    ignored = int((bottom - top) * cfg.ignore_top)
    searched = breast[top + ignored : bottom, left:right]
    cols = np.flatnonzero(searched.any(axis=0))
    if cols.size == 0:
        return None
    extreme = int(cols[-1] if points_right else cols[0])
    ys = np.flatnonzero(searched[:, extreme]) + ignored
    return BreastBox(
        window=(top, bottom, left, right),
        rightmost_points=((int(ys[0]), int(ys[-1])), extreme if points_right else right - left - extreme),
        bottommost_points=(lowest - top, lowest_x),
        distance_from_starting_side=distance,
    )


def _city_block(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """City-block distance of every non-zero pixel to the nearest zero (exact integers)."""
    return cv2.distanceTransform(mask, cv2.DIST_L1, 3).astype(np.float32, copy=False)
