"""Saliency as colour on a mammogram: inside the breast only, and from a level on, so that faint values everywhere do not look
like a finding. Maps in files are not touched by it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.drawing.sheet import Picture
from mammoseg.prep.breast import largest_opened
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.film import film_breast
from mammoseg.records.colours import rgb
from mammoseg.records.grid import PixelGrid

SHOWN_FROM = 0.1
"""Saliency below is not coloured."""
_FAINTEST, _STRONGEST = 0.2, 0.85  # share of the colour at SHOWN_FROM and at 1
_BAR, _TICKS = 14, 36  # columns of the colour bar and of the words beside it


def breast_in(small: NDArray[np.float32], grid: PixelGrid, prep: PrepConfig) -> NDArray[np.bool_]:
    """(rows, columns) of an image in the size of a figure -> where the breast is, found as in the preparation."""
    radius = max(1, round(prep.opening_px * small.shape[0] / grid.working_shape[0]))
    film = prep.background == "film"
    breast = film_breast(small, radius) if film else largest_opened(np.greater(small, 0), radius)
    return np.greater(small, 0) if breast is None else breast  # the breast of a tiny figure may be lost in the opening


def tinted(gray: Picture, saliency: NDArray[np.floating], colour: str) -> Picture:
    """Saliency (rows, columns) from 0 to 1, 0 beside the breast, on a picture of that size."""
    alpha = _alpha(saliency)[..., None]
    return (gray * (1 - alpha) + np.array(rgb(colour), dtype=np.float32) * alpha).astype(np.uint8)


def colour_bar(rows: int, colour: str) -> tuple[Picture, list[tuple[int, int, str]]]:
    """Saliency 0 (below) to 1 (above) as it looks on black, and what stands beside it: (x, y) and words."""
    ramp = _alpha(np.linspace(1, 0, rows, dtype=np.float32))[:, None, None] * np.array(rgb(colour), dtype=np.float32)
    bar = np.zeros((rows, 4 + _BAR + _TICKS, 3), np.uint8)
    bar[:, 4 : 4 + _BAR] = ramp.astype(np.uint8)
    words = []
    for value in (SHOWN_FROM, 0.25, 0.5, 0.75, 1.0) if rows > 100 else (SHOWN_FROM, 1.0):
        y = round((1 - value) * (rows - 1))
        cv2.line(bar, (4, y), (4 + _BAR + 3, y), (255, 255, 255))
        words.append((4 + _BAR + 5, min(max(y + 4, 10), rows - 1), f"{value:.2g}"))
    return bar, words


def _alpha(saliency: NDArray[np.floating]) -> NDArray[np.float32]:
    """Share of the colour."""
    above = _FAINTEST + (_STRONGEST - _FAINTEST) * (saliency - SHOWN_FROM) / (1 - SHOWN_FROM)
    return np.where(saliency < SHOWN_FROM, 0, above).astype(np.float32)
