"""Lesions with a place in three dimensions, drawn into both views."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.texture import Array

Kind = Literal["mass", "cluster"]


@dataclass(frozen=True)
class Lesion:
    """One finding of a breast."""

    kind: Kind
    label: str
    """benign or malignant."""
    lateral_mm: float
    superior_mm: float
    depth_mm: float
    radius_mm: float
    contrast: float
    """Grey level (fraction of 4095) that a mass adds in its middle, or that a large calcification adds."""
    typical: bool
    """False: it looks like the other class."""


@dataclass(frozen=True)
class Drawn:
    """A lesion in one view: what to add to the image, and where it is."""

    top: int
    left: int
    signal: Array
    """Grey level to add to the pixels from (top, left); may reach over the border of the image."""
    mask: NDArray[np.bool_]
    """Same shape: the lesion (without spicules; for a cluster the region around its calcifications)."""


@dataclass(frozen=True)
class Speck:
    """One calcification, relative to the centre of its cluster."""

    lateral_mm: float
    superior_mm: float
    depth_mm: float
    radius_mm: float
    stretch: float
    contrast: float


def draw_mass(
    centre: tuple[float, float], radius_mm: float, contrast: float, spiculated: bool, pixel_mm: float, rng: np.random.Generator
) -> Drawn:
    """A mass at the continuous (row, column) `centre`: round and sharp, or irregular with spicules."""
    reach = 2.6 if spiculated else 1.5
    top, left, dy, dx = _window(centre, reach * radius_mm, pixel_mm)
    distance = np.sqrt(dy * dy + dx * dx)
    angle = np.arctan2(dy, dx)
    orders = np.arange(2, 10 if spiculated else 5)
    swing = rng.normal(0, 1, orders.size) * (0.13 if spiculated else 0.07) / np.sqrt(orders - 1)
    border = np.float32(1) + sum(
        np.float32(s) * np.cos(k * angle + np.float32(p))
        for k, s, p in zip(orders, swing, rng.uniform(0, 2 * np.pi, orders.size), strict=True)
    )
    border = radius_mm * np.clip(border, 0.6, 1.5)
    rho = distance / border
    soft = rng.uniform(0.08, 0.30) if spiculated else rng.uniform(0.04, 0.16)
    signal = (0.55 + 0.45 * np.sqrt(np.clip(1 - rho * rho, 0, 1))) / (1 + np.exp(np.clip((rho - 1) * (2.2 / soft), -30, 30)))
    if spiculated:
        signal = np.maximum(signal, _spicules(distance / np.float32(radius_mm), angle, radius_mm, pixel_mm, rng))
    return Drawn(top, left, (contrast * signal).astype(np.float32), rho <= 1)


def _spicules(rho: Array, angle: Array, radius_mm: float, pixel_mm: float, rng: np.random.Generator) -> Array:
    """Thin tapering lines from the core outwards, 0 to about 0.8."""
    total = np.zeros(rho.shape, np.float32)
    count = int(rng.integers(12, 22))
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.15, count)
    for turn in turns:
        length, bow = rng.uniform(1.5, 2.6), rng.normal(0, 0.15)
        width = max(rng.uniform(0.06, 0.12), 0.55 * pixel_mm / radius_mm)
        off = angle - np.float32(turn) - np.float32(bow) * rho
        across = rho * np.sin(off) / np.float32(width)
        along = np.clip((length - rho) / np.float32(length - 0.6), 0, 1)
        line = np.exp(-np.square(across)) * along * (np.cos(off) > 0)
        np.maximum(total, np.float32(rng.uniform(0.5, 0.85)) * line, out=total)
    return total


def sample_specks(lesion: Lesion, config: PhantomConfig, rng: np.random.Generator) -> list[Speck]:
    """The calcifications of a cluster: few, round, alike (benign) or many, fine, of all shapes (malignant)."""
    fine = (lesion.label == "malignant") == lesion.typical
    low, high = config.speck_radius_mm
    count = int(rng.integers(12, 28)) if fine else int(rng.integers(5, 11))
    own = rng.uniform(0.55 * low + 0.45 * high, high)
    specks = []
    for place in rng.normal(0, 1, (count, 3)):
        place = place / np.linalg.norm(place) * rng.uniform() ** 0.45 * lesion.radius_mm
        radius = rng.uniform(low, 0.4 * low + 0.6 * high) if fine else own * rng.uniform(0.85, 1.1)
        stretch = rng.uniform(1, 2.5) if fine else rng.uniform(1, 1.15)
        contrast = lesion.contrast * (rng.uniform(0.5, 1.3) if fine else rng.uniform(0.85, 1.15))
        specks.append(Speck(float(place[0]), float(place[1]), float(place[2]), radius, stretch, contrast))
    return specks


def draw_speck(
    centre: tuple[float, float], radius_mm: float, stretch: float, contrast: float, pixel_mm: float, rng: np.random.Generator
) -> Drawn:
    """One calcification: a bright ellipse; smaller than a pixel it loses contrast with its area."""
    wide = np.sqrt(radius_mm**2 + (0.45 * pixel_mm) ** 2)
    top, left, dy, dx = _window(centre, 3 * wide * stretch, pixel_mm)
    turn = rng.uniform(0, np.pi)
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / stretch
    v = -dx * np.sin(turn) + dy * np.cos(turn)
    signal = np.exp(-((u * u + v * v) / wide**2)) * (contrast * radius_mm**2 / wide**2)
    return Drawn(top, left, signal.astype(np.float32), u * u + v * v <= wide**2)


def _window(centre: tuple[float, float], reach_mm: float, pixel_mm: float) -> tuple[int, int, Array, Array]:
    """Square around a point: its top and left pixel, and each pixel centre's offset from the point in mm."""
    half = int(np.ceil(reach_mm / pixel_mm)) + 1
    top, left = int(np.floor(centre[0])) - half, int(np.floor(centre[1])) - half
    steps = np.arange(2 * half + 1, dtype=np.float32) + np.float32(0.5)
    dy = (steps + np.float32(top - centre[0]))[:, None] * np.float32(pixel_mm)
    dx = (steps + np.float32(left - centre[1]))[None, :] * np.float32(pixel_mm)
    return top, left, dy, dx
