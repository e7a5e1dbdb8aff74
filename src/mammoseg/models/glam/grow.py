"""From a coarse map to an outline: the contour of the lesion that the map points at, found in the image without any learning.

    seed      argmax of S(x) C(x) where S is at least half of its maximum; C(x): how much the gradients of a disc around x point
              at x (nn/convergence.py)
    contour   of the connected regions around the seed of pixels above a threshold in f(x) exp(-|x - seed|^2 / 2 sigma^2), the
              one with the largest radial gradient index: the share of the gradient along its margin that points at the seed

Source   Kupinski & Giger 1998 (IEEE Trans. Med. Imaging 17(4), 510-517) for the contour. The seed from both is ours.
Shapes   H, W pixels of the window, here reduced until the smallest lesion has a radius of a few | h, w cells of the map
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from mammoseg.nn.convergence import convergence

Image = NDArray[np.float32]
Radii = tuple[float, float]

_SMALLEST_PX = 5.0
"""Radius of the smallest lesion in the reduced image."""
_LEVELS = np.linspace(0.1, 0.95, 35)
"""Thresholds, as shares of the value at the seed."""


def outline(image_HW: Image, saliency_hw: Image, radii_px: Radii) -> NDArray[np.float64] | None:
    """Corners (N, 2) of the outline as (row, column) in pixels of the window; None if no contour has an area between those of
    discs of the smallest and the largest radius."""
    scale = min(1.0, _SMALLEST_PX / radii_px[0])
    small_HW = _reduced(image_HW, scale)
    mask_HW = contour(small_HW, seed(small_HW, saliency_hw), (radii_px[0] * scale, radii_px[1] * scale))
    if mask_HW is None:
        return None
    outlines, _ = cv2.findContours(mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    [only] = outlines  # the region is connected
    points = only[:, 0, ::-1].astype(np.float64) + 0.5
    return points * (np.array(image_HW.shape) / small_HW.shape)


def _reduced(image_HW: Image, scale: float) -> Image:
    rows, cols = (max(1, round(side * scale)) for side in image_HW.shape)
    return np.asarray(cv2.resize(image_HW, (cols, rows), interpolation=cv2.INTER_AREA), np.float32)


def seed(image_HW: Image, saliency_hw: Image) -> tuple[int, int]:
    """The pixel near which the map is high and towards which the image grows brighter from all sides."""
    rows, cols = image_HW.shape
    S_HW = cv2.resize(saliency_hw, (cols, rows), interpolation=cv2.INTER_LINEAR)
    merit_HW = np.where(S_HW.max() / 2 <= S_HW, S_HW * _convergence(image_HW), -np.inf)
    row, col = np.unravel_index(int(merit_HW.argmax()), merit_HW.shape)
    return int(row), int(col)


def _convergence(image_HW: Image) -> Image:
    C_11HW = convergence(torch.from_numpy(image_HW)[None, None])
    return np.asarray(C_11HW[0, 0].numpy(), np.float32)


def contour(image_HW: Image, seed: tuple[int, int], radii_px: Radii) -> NDArray[np.bool_] | None:
    """The region (H, W) with the largest radial gradient index around the seed, holes filled; None if none has a fitting area."""
    smallest, largest = radii_px
    reach = int(np.ceil(1.5 * largest))
    top, left = max(0, seed[0] - reach), max(0, seed[1] - reach)
    f = image_HW[top : seed[0] + reach + 1, left : seed[1] + reach + 1]
    row, col = seed[0] - top, seed[1] - left
    dy, dx = (axis.astype(np.float32) for axis in np.mgrid[-row : f.shape[0] - row, -col : f.shape[1] - col])
    gx, gy = _gradient(f)
    d = np.hypot(dy, dx)
    inwards, length = -(gx * dx + gy * dy) / np.maximum(d, 1), np.hypot(gx, gy)
    near = (cv2.GaussianBlur(f, (0, 0), 1.0) - f.min()) * np.exp(-(d**2) / (2 * (0.8 * largest) ** 2))
    best, found = -1.0, None
    for level in _LEVELS * near[row, col]:
        _, parts = cv2.connectedComponents((near >= level).astype(np.uint8), connectivity=4)
        region = (parts == parts[row, col]).astype(np.uint8)
        if parts[row, col] == 0 or not np.pi * smallest**2 <= region.sum() <= np.pi * largest**2:
            continue
        margin = (region - cv2.erode(region, np.ones((3, 3), np.uint8))) > 0
        index = float(inwards[margin].sum() / max(length[margin].sum(), 1e-6))
        if index > best:
            best, found = index, region
    if found is None:
        return None
    rings, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask_HW = np.zeros(image_HW.shape, bool)
    mask_HW[top : top + f.shape[0], left : left + f.shape[1]] = cv2.drawContours(found, rings, -1, 1, cv2.FILLED) > 0
    return mask_HW


def _gradient(image_HW: Image) -> tuple[Image, Image]:
    smooth = cv2.GaussianBlur(image_HW, (0, 0), 1.0)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    return np.asarray(gx, np.float32), np.asarray(gy, np.float32)
