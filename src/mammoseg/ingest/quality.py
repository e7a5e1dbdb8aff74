"""What the pixels of one mammogram tell about its file: side, background, burnt-in texts, a hash to find duplicates.

Everything but the hash is judged on every n-th pixel of every n-th row, about 1000 of them along the longer side.

Units    Lengths are shares of the longer side.
"""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import Mask, largest_opened
from mammoseg.prep.film import film_breast
from mammoseg.prep.orient import points_right
from mammoseg.records.image import Mammogram

WRONG_SIDE = "wrong side: the breast points the other way than laterality and orientation say"
GREY = "the background is not 0"
TEXT = "bright specks like letters beside the breast: a text may be burned in"
NO_BREAST = "no breast is found in the picture"
BLANK = "all pixels have the same value"

_SIDE = 1024  # pixels that are looked at along the longer side, at most
_OPENING = 0.03  # 100 pixels of 3328, as in the preparation
_FULL = 0.95  # share of the picture above which the "breast" is the background
_STRAY = 0.05  # share of the pixels beside the breast that labels may take up
_BRIGHT = 0.9  # of the largest value
_LARGEST_LETTER = 0.05
_SMALLEST_LETTER = 3  # rows of those that are looked at
_LETTERS = 8  # more than a marker of side and view with initials has


@dataclass(frozen=True)
class PixelFacts:
    """What the pixels of one file tell."""

    sha256: str
    """Of shape, type and values."""
    blank: bool
    findings: tuple[str, ...]
    """Out of WRONG_SIDE, GREY, TEXT, NO_BREAST."""
    two_values: bool = False
    """Two values and no more, as masks have them."""


def check_pixels(image: Mammogram) -> PixelFacts:
    """Facts about an image with pixels (H, W)."""
    step = -(-max(image.pixels.shape) // _SIDE)
    pixels = np.ascontiguousarray(image.pixels[::step, ::step])
    low, high = image.pixels.min(), image.pixels.max()
    blank = bool(low == high)
    # The few pixels first: they tell nearly always, and all of them take a second.
    two = not blank and all(((some == low) | (some == high)).all() for some in (pixels, image.pixels))
    return PixelFacts(pixel_hash(image.pixels), blank, () if blank else tuple(_findings(pixels, image)), two)


def pixel_hash(pixels: NDArray[np.generic]) -> str:
    """SHA-256 of shape, type and values (little-endian)."""
    plain = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{plain.shape} {plain.dtype.str}".encode())
    digest.update(plain.data)
    return digest.hexdigest()


def _findings(pixels: NDArray[np.generic], image: Mammogram) -> list[str]:
    radius = max(1, round(_OPENING * max(pixels.shape)))
    breast = largest_opened(np.greater(pixels, 0), radius)
    if breast is None:
        return [NO_BREAST]
    findings = []
    if breast.mean() > _FULL or _stray(pixels, breast) > _STRAY:
        findings.append(GREY)
        breast = film_breast(pixels, radius)
        if breast is None:
            return [*findings, NO_BREAST]
    small = Mammogram(pixels, image.laterality, image.view, image.image_id, None, image.horizontal_flip)
    if points_right(small, breast)[1]:
        findings.append(WRONG_SIDE)
    if _letters(pixels, breast, margin=radius // 4) >= _LETTERS:
        findings.append(TEXT)
    return findings


def _stray(pixels: NDArray[np.generic], breast: Mask) -> float:
    """Share of pixels beside the breast that are not 0."""
    beside = pixels[~breast]
    return float(np.count_nonzero(beside) / beside.size) if beside.size else 0.0


def _letters(pixels: NDArray[np.generic], breast: Mask, margin: int) -> int:
    """Bright components of the size of letters, at least `margin` pixels beside the breast."""
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    beside = cv2.dilate(breast.astype(np.uint8), kernel) == 0
    bright = np.greater_equal(pixels, _BRIGHT * int(pixels.max())) & beside
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
    largest = max(_SMALLEST_LETTER, round(_LARGEST_LETTER * max(pixels.shape)))
    heights, widths = stats[1:count, cv2.CC_STAT_HEIGHT], stats[1:count, cv2.CC_STAT_WIDTH]
    return int(np.count_nonzero((heights >= _SMALLEST_LETTER) & (heights <= largest) & (widths <= largest)))
