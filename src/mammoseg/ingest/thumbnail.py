"""A small picture of a mammogram for the quality report."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 192
"""Pixels of the longer side."""
_JPEG_QUALITY = 70
_BRIGHTEST = 99.5
"""Percentile of the pixels above 0 that is shown white, so that a marker of side and view does not darken the breast."""


def thumbnail(pixels: NDArray[np.generic]) -> bytes:
    """A JPEG file of an image (H, W) in the orientation of its file."""
    height, width = pixels.shape
    step = max(1, max(height, width) // (4 * _SIDE))  # the mean over fewer pixels looks the same
    some = np.ascontiguousarray(pixels[::step, ::step]).astype(np.float32)
    scale = min(1.0, _SIDE / max(some.shape))
    size = (max(1, round(some.shape[1] * scale)), max(1, round(some.shape[0] * scale)))
    small = cv2.resize(some, size, interpolation=cv2.INTER_AREA)
    bright = small[small > 0]
    top = float(np.percentile(bright, _BRIGHTEST)) if bright.size else 1.0
    shown = np.clip(small * (255 / max(top, 1.0)), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
