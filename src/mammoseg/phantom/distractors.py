"""What looks like a lesion and is none: overlapping tissue, vessels, single calcifications. All of it is normal anatomy."""

import cv2
import numpy as np

from mammoseg.phantom.breast import BreastShape, Projection
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Place, Speck
from mammoseg.records.label import CLASSES


def add_blobs(
    drawn: Projection, masses: int, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator
) -> None:
    """Densities of the size and contrast of masses with soft, elongated borders, in this view only (summation).

    A mass takes the place of a density, so that views with and without masses have about equally many bright spots.
    """
    pixel = np.float32(config.pixel_mm)
    decoys = int(rng.uniform() < config.decoy_share)
    for _ in range(decoys + rng.poisson(config.density_blobs) - masses):
        radius = config.sample_radius(rng)
        row, column = _inside(drawn, radius, shape, config, rng)
        contrast = np.float32(config.sample_contrast(config.mass_median(rng.choice(CLASSES)), rng))
        turn, stretch = rng.uniform(0, np.pi), np.sqrt(rng.uniform(1.1, 2.0))
        half = int(1.7 * stretch * radius / config.pixel_mm) + 1
        near = np.s_[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1]
        image = drawn.image[near]
        dy = (np.arange(image.shape[0], dtype=np.float32)[:, None] + np.float32(near[0].start - row)) * pixel
        dx = (np.arange(image.shape[1], dtype=np.float32)[None, :] + np.float32(near[1].start - column)) * pixel
        u = (dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))) / np.float32(stretch * radius)
        v = (dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))) * np.float32(stretch / radius)
        fade = np.clip(1 - (u * u + v * v) / np.float32(2.8), 0, 1)
        image += contrast * fade * fade


def add_vessels(drawn: Projection, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator) -> None:
    """Gently curved lines 0.6 to 1.8 mm wide and 15 to 45 mm long, roughly towards the nipple."""
    pixel, steps = config.pixel_mm, np.linspace(-1, 1, 24)
    for _ in range(rng.poisson(config.vessels)):
        row, column = _inside(drawn, 8.0, shape, config, rng)
        wide, length = rng.uniform(0.6, 1.8) / pixel, rng.uniform(15, 45) / pixel
        towards = np.arctan2(drawn.nipple_row_mm / pixel - row, shape.depth_mm / pixel - column)
        turn = towards + rng.normal(0, 0.6) + rng.normal(0, 0.5) * steps + rng.normal(0, 0.06) * np.sin(9 * steps)
        path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], -1), 0) * (length / steps.size)
        path += np.array([column, row]) - path[steps.size // 2]
        rim = int(3 + 2 * wide)
        left, top = np.maximum(np.floor(path.min(0)).astype(int) - rim, 0)
        right, bottom = np.maximum(np.ceil(path.max(0)).astype(int) + rim, 0)
        image = drawn.image[top:bottom, left:right]
        brightness = np.float32(rng.uniform(0.02, 0.12) / 255)
        if image.size == 0:
            continue
        canvas = np.zeros(image.shape, np.uint8)
        points = np.round((path - (left, top)) * 16).astype(np.int32)  # four fractional bits
        cv2.polylines(canvas, [points], False, 255, max(1, round(wide)), cv2.LINE_AA, 4)
        image += cv2.GaussianBlur(canvas.astype(np.float32), (0, 0), max(0.6, 0.25 * wide)) * brightness


def isolated_specks(places: list[Place], config: PhantomConfig, rng: np.random.Generator) -> list[Speck]:
    """Single benign calcifications at these places, as large and bright as those of clusters or more."""
    low, high = config.speck_radius_mm
    return [
        Speck(
            place, rng.uniform(low, 1.3 * high), rng.uniform(1, 1.4), config.sample_contrast(config.speck_contrast, rng)
        )
        for place in places
    ]


def _inside(
    drawn: Projection, room_mm: float, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator
) -> tuple[int, int]:
    """A breast pixel at least `room_mm` from the skin; the last of 50 draws if none is."""
    rows, columns = drawn.mask.shape
    row, column = rows // 2, 0
    for _ in range(50):
        row, column = int(rng.integers(rows)), int(rng.uniform() * min(columns, shape.depth_mm / config.pixel_mm))
        if drawn.skin_mm[row, column] >= room_mm:
            break
    return row, column
