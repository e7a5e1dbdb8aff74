"""One view while lesions are put into it, up to the 12-bit image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.breast import BreastShape, Projection, View, height_mm
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Drawn, Lesion, Place, Speck, draw_mass, draw_speck
from mammoseg.records.label import CLASSES

MAX_VALUE = 4095
_CLUSTER_RIM_MM = 1.0


class Canvas:
    """Adds to the image of a projection, in place, and keeps the masks."""

    def __init__(
        self, view: View, drawn: Projection, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator
    ) -> None:
        self.view, self.drawn, self.shape, self.config, self.rng = view, drawn, shape, config, rng
        self.masks = {label: np.zeros(drawn.mask.shape, bool) for label in CLASSES}

    def add_mass(self, lesion: Lesion) -> None:
        mass = draw_mass(
            self._pixel(lesion.place),
            lesion.radius_mm,
            lesion.contrast,
            lesion.aggressive_look,
            self.config.pixel_mm,
            self.rng,
            lesion.ill_defined,
        )
        there, here = overlap(self.drawn.image.shape, mass)
        self.drawn.image[there] += mass.signal[here]
        self.masks[lesion.label][there] |= mass.mask[here]

    def add_cluster(self, label: str, specks: list[Speck]) -> None:
        """Calcifications, and as their mask the convex region around them with a rim of 1 mm."""
        points = np.array([self.add_speck(speck) for speck in specks])
        hull = cv2.convexHull(np.floor(points[:, ::-1]).astype(np.int32))
        region = cv2.fillConvexPoly(np.zeros(self.drawn.mask.shape, np.uint8), hull, 1)
        rim = 2 * max(1, round(_CLUSTER_RIM_MM / self.config.pixel_mm)) + 1
        left, top, width, height = cv2.boundingRect(hull)
        near = np.s_[max(0, top - rim) : top + height + rim, max(0, left - rim) : left + width + rim]
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim))
        self.masks[label][near] |= cv2.dilate(region[near], disc).astype(bool)

    def add_speck(self, speck: Speck) -> tuple[float, float]:
        """Add one calcification; its (row, column)."""
        point = self._pixel(speck.place)
        drawn = draw_speck(point, speck, self.config.pixel_mm, self.rng)
        there, here = overlap(self.drawn.image.shape, drawn)
        self.drawn.image[there] += drawn.signal[here]
        return point

    def digitize(self, gain: float) -> NDArray[np.uint16]:
        """Detector noise, exposure and 12 bits: 0 outside the breast, 1 to 4095 inside."""
        image = self.drawn.image
        noise = self.rng.standard_normal(image.shape, dtype=np.float32)
        noise *= np.float32(self.config.noise * 0.1 / self.config.pixel_mm)
        image += noise
        image *= np.float32(gain * MAX_VALUE)
        return np.clip(np.rint(image), 1, MAX_VALUE).astype(np.uint16) * self.drawn.mask

    def _pixel(self, place: Place) -> tuple[float, float]:
        height = height_mm(self.view, place.lateral, place.superior, self.shape.angle)
        return self.drawn.pixel(height, place.depth, self.config.pixel_mm)


def overlap(shape: tuple[int, ...], drawn: Drawn) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Which part of an image of `shape` a drawing covers, and which part of the drawing that is."""
    there, here = [], []
    for start, length, limit in zip((drawn.top, drawn.left), drawn.signal.shape, shape, strict=True):
        low = min(max(start, 0), limit)
        high = max(min(start + length, limit), low)
        there.append(slice(low, high))
        here.append(slice(low - start, high - start))
    return (there[0], there[1]), (here[0], here[1])
