"""One view while lesions are put into it, up to the 12-bit image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.breast import BreastShape, Projection, View, height_mm
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Drawn, Lesion, Place, Speck, draw_mass, draw_speck
from mammoseg.phantom.texture import Array
from mammoseg.records.label import CLASSES


class Canvas:
    """One view while lesions are put into it."""

    def __init__(
        self, view: View, drawn: Projection, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator
    ) -> None:
        self.view, self.drawn, self.shape, self.config, self.rng = view, drawn, shape, config, rng
        self.masks = {c: np.zeros(drawn.mask.shape, bool) for c in CLASSES}

    def add_lesion(self, lesion: Lesion, specks: list[Speck]) -> None:
        place = (lesion.lateral_mm, lesion.superior_mm, lesion.depth_mm)
        mask = self.masks[lesion.label]
        if lesion.kind == "mass":
            spiculated = (lesion.label == "malignant") == lesion.typical
            mass = draw_mass(
                self._pixel(place), lesion.radius_mm, lesion.contrast, spiculated, self.config.pixel_mm, self.rng
            )
            add(self.drawn.image, mass)
            add_mask(mask, mass)
        else:
            points = [self.add_speck(place, s) for s in specks]
            hull = cv2.convexHull(np.round(np.array(points)[:, ::-1] - 0.5).astype(np.int32))
            region = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), hull, 1)
            grow = 2 * max(1, round(1.0 / self.config.pixel_mm)) + 1
            mask |= cv2.dilate(region, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow, grow))).astype(bool)

    def add_speck(self, centre: tuple[float, float, float], speck: Speck) -> tuple[float, float]:
        place = (centre[0] + speck.lateral_mm, centre[1] + speck.superior_mm, centre[2] + speck.depth_mm)
        point = self._pixel(place)
        add(self.drawn.image, draw_speck(point, speck.radius_mm, speck.stretch, speck.contrast, self.config.pixel_mm, self.rng))
        return point

    def finish(self, side: Laterality, exposure: float) -> PhantomImage:
        """Detector noise, exposure, 12 bits, and the mirror image for a right breast."""
        config, rng, breast = self.config, self.rng, self.drawn.mask
        image = self.drawn.image
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noise *= np.float32(config.noise * 0.1 / config.pixel_mm)
        image += noise
        gain = exposure * np.exp(rng.normal(0, config.exposure_jitter / 2)) * 4095
        image *= np.float32(gain)
        pixels = np.clip(np.rint(image), 1, 4095).astype(np.uint16) * breast
        turned = [pixels, *(m & breast for m in self.masks.values())]
        if side == "R":
            turned = [np.ascontiguousarray(x[:, ::-1]) for x in turned]
        return PhantomImage(turned[0], turned[1], turned[2], side, self.view)

    def _pixel(self, place: tuple[float, float, float]) -> tuple[float, float]:
        lateral, superior, depth = place
        return self.drawn.place(height_mm(self.view, lateral, superior, self.shape.angle), depth, self.config.pixel_mm)


def add(image: Array, drawn: Drawn) -> None:
    """Add a drawn signal in place, cut at the border of the image."""
    there, here = _overlap(image.shape, drawn)
    image[there] += drawn.signal[here]


def add_mask(mask: NDArray[np.bool_], drawn: Drawn) -> None:
    there, here = _overlap(mask.shape, drawn)
    mask[there] |= drawn.mask[here]


def _overlap(shape: tuple[int, ...], drawn: Drawn) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    there, here = [], []
    for start, length, limit in zip((drawn.top, drawn.left), drawn.signal.shape, shape, strict=True):
        low, high = max(start, 0), max(min(start + length, limit), max(start, 0))
        there.append(slice(low, high))
        here.append(slice(low - start, high - start))
    return (there[0], there[1]), (here[0], here[1])


