"""What looks like a lesion and is none: overlapping tissue, vessels, single calcifications. All of it is normal anatomy."""

import cv2
import numpy as np

from mammoseg.phantom.breast import BreastShape, Projection
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.lesions import Speck


def add_blobs(drawn: Projection, config: PhantomConfig, rng: np.random.Generator) -> None:
    """Densities of the size and contrast of masses with soft, elongated borders, in this view only (summation)."""
    pixel, rows, columns = config.pixel_mm, *drawn.mask.shape
    for _ in range(rng.poisson(config.density_blobs)):
        radius = float(np.clip(config.lesion_radius_median_mm * np.exp(rng.normal(0, 0.35)), *config.lesion_radius_mm))
        row, column = _inside(drawn, radius, config, rng)
        contrast = config.mass_contrast * np.exp(rng.normal(0, config.contrast_spread))
        half = int(2.5 * radius / pixel)
        r0, r1, c0, c1 = max(0, row - half), min(rows, row + half), max(0, column - half), min(columns, column + half)
        dy = (np.arange(r0, r1, dtype=np.float32)[:, None] - row) * np.float32(pixel / radius)
        dx = (np.arange(c0, c1, dtype=np.float32)[None, :] - column) * np.float32(pixel / radius)
        turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.1, 2.0)
        u = (dx * np.cos(turn) + dy * np.sin(turn)) / np.sqrt(stretch)
        v = (dy * np.cos(turn) - dx * np.sin(turn)) * np.sqrt(stretch)
        fade = np.clip(1 - (u * u + v * v) / 2.8, 0, 1)
        drawn.image[r0:r1, c0:c1] += (contrast * fade * fade * drawn.mask[r0:r1, c0:c1]).astype(np.float32)


def add_vessels(drawn: Projection, shape: BreastShape, config: PhantomConfig, rng: np.random.Generator) -> None:
    """Gently curved lines 0.8 to 2.5 mm wide, roughly towards the nipple, that fade in and out."""
    pixel = config.pixel_mm
    for _ in range(rng.poisson(config.vessels)):
        row, column = _inside(drawn, 8.0, config, rng)
        steps = np.linspace(-1, 1, 24)
        length = rng.uniform(15, 45) / pixel
        heading = np.arctan2(drawn.nipple_row_mm / pixel - row, shape.depth_mm / pixel - column) + rng.normal(0, 0.6)
        bend, wave = rng.normal(0, 0.5), rng.normal(0, 0.06)
        turn = heading + bend * steps + wave * np.sin(9 * steps)
        path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], -1), 0) * (length / 24)
        path += np.array([column, row]) - path[12]
        wide = rng.uniform(0.8, 2.5)
        low = np.floor(path.min(0)).astype(int) - int(4 + 2 * wide / pixel)
        high = np.ceil(path.max(0)).astype(int) + int(4 + 2 * wide / pixel)
        low, high = np.maximum(low, 0), np.minimum(high, drawn.mask.shape[::-1])
        if np.any(high <= low):
            continue
        canvas = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        points = np.round((path - low) * 16).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, max(1, round(wide / pixel)), cv2.LINE_AA, 4)
        line = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), max(0.6, 0.25 * wide / pixel))
        there = slice(low[1], high[1]), slice(low[0], high[0])
        drawn.image[there] += line * drawn.mask[there] * np.float32(rng.uniform(0.03, 0.12))


def isolated_specks(config: PhantomConfig, rng: np.random.Generator) -> list[Speck]:
    """Single benign calcifications, each with its own place: as bright as those in clusters, never grouped on purpose."""
    low, high = config.speck_radius_mm
    return [
        Speck(
            0.0,
            0.0,
            0.0,
            rng.uniform(low, 1.3 * high),
            rng.uniform(1, 1.4),
            float(min(0.5, config.speck_contrast * np.exp(rng.normal(0, config.contrast_spread)))),
        )
        for _ in range(rng.poisson(config.isolated_calcifications))
    ]


def _inside(drawn: Projection, room_mm: float, config: PhantomConfig, rng: np.random.Generator) -> tuple[int, int]:
    """A breast pixel at least `room_mm` from the skin; anywhere in the breast if 50 draws find none."""
    rows, columns = drawn.mask.shape
    row, column = rows // 2, 0
    for _ in range(50):
        row, column = int(rng.integers(rows)), int(rng.uniform() * min(columns, 130 / config.pixel_mm))
        if drawn.skin_mm[row, column] >= room_mm:
            break
    return row, column
