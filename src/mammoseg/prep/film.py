"""The breast on a digitised film, which has no exact background.

A film scan shows the breast on a grey, uneven background, with lead letters, labels, white tape and parts of the
scanner frame, and bands of zeros beside the film. The breast is found in four steps:

1. film       the rectangle around the largest component of non-zero pixels;
2. threshold  on smoothed intensities: Otsu's threshold of their square roots parts background from tissue (without the
              root it may part fat from gland), then the corner of the histogram between the background's peak and that
              threshold (triangle method), plus a margin, takes in the faint skin line;
3. opening    by a diamond cuts letters, labels and tape off; the largest component is the breast;
4. repair     the corners the opening cut off at the upper and lower edge of the film come back, holes are filled.

Source   Own method, checked by eye on the films of the mini-MIAS database. There (200 um a pixel) `opening_px` = 35 and
         `buffer_px` = 25 fit: 7 mm and 5 mm.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.prep.breast import Mask, largest_opened

_SPECK = 5  # pixels; thinner non-zero structures beside the film are scanning errors
_SMOOTHING = 1 / 16  # of the opening radius
_WHITE = 235  # of 255: tape, labels and frame, left out of the histogram
_MARGIN = 4  # of 255, the least height of the threshold above the corner
_ROOT = 15.9  # spreads square roots of 0..255 over 0..254


def film_breast(pixels: NDArray[np.generic], opening_px: int) -> Mask | None:
    """(H, W) mask of the breast on a digitised film, or None if there is none."""
    film = largest_opened(np.greater(pixels, 0), _SPECK)
    if film is None:
        return None
    x, y, width, height = cv2.boundingRect(film.astype(np.uint8))
    inside = np.s_[y : y + height, x : x + width]
    bright = _bright(pixels[inside], sigma=max(1.0, opening_px * _SMOOTHING))
    breast = _breast(bright, opening_px)
    if breast is None:
        return None
    mask = np.zeros(pixels.shape, dtype=bool)
    mask[inside] = breast
    return mask


def _bright(film: NDArray[np.generic], sigma: float) -> Mask:
    smooth = cv2.GaussianBlur(film.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    levels = np.rint(smooth * (255 / max(float(smooth.max()), 1e-6))).astype(np.uint8)
    dark = levels[levels < _WHITE]
    if dark.size == 0:
        return np.ones(film.shape, dtype=bool)
    roots = np.rint(np.sqrt(dark, dtype=np.float32) * _ROOT).astype(np.uint8)
    otsu = cv2.threshold(roots[None], 0, 255, cv2.THRESH_OTSU)[0]
    return levels > _above_background(np.bincount(dark, minlength=256)[: round((otsu / _ROOT) ** 2) + 1])


def _above_background(counts: NDArray[np.integer]) -> int:
    """The level at which the background of a histogram ends.

    It is the corner of the histogram, where the counts lie deepest under the line joining the background's peak and the
    last count, raised by half its distance from the peak, as the background is uneven.
    """
    peak = int(np.argmax(counts))
    falling = counts[peak:]
    line = np.linspace(falling[0], falling[-1], len(falling))
    corner = int(np.argmax(line - falling))
    return peak + corner + max(_MARGIN, corner // 2)


def _breast(bright: Mask, radius: int) -> Mask | None:
    breast = largest_opened(bright, radius)
    if breast is None or radius == 0:
        return breast
    if len(breast) > 2 * radius:  # the opening took what lies outside the film for background: give the corners back
        breast[:radius] |= bright[:radius] & breast[radius]
        breast[-radius:] |= bright[-radius:] & breast[-radius - 1]
    outlines, _ = cv2.findContours(breast.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(breast.shape, dtype=np.uint8)
    cv2.drawContours(filled, outlines, -1, color=1, thickness=cv2.FILLED)
    return filled != 0
