"""Lesions with a place in three dimensions, and how each looks in one view."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.texture import Array

Kind = Literal["mass", "cluster"]


class Place(NamedTuple):
    """A point of the breast (see `mammoseg.phantom.breast`), in mm."""

    lateral: float
    superior: float
    depth: float


@dataclass(frozen=True)
class Lesion:
    """One finding of a breast."""

    kind: Kind
    label: str
    """benign or malignant."""
    place: Place
    """Its centre."""
    radius_mm: float
    contrast: float
    """Grey level (fraction of 4095) that a mass adds in its middle, or a calcification as wide as a pixel or wider."""
    typical: bool
    """False: it has the margins, or the calcifications, of the other class."""
    ill_defined: bool = False
    """A mass whose margin fades into the tissue; of a cluster it means nothing."""

    @property
    def aggressive_look(self) -> bool:
        """Spiculated mass or fine pleomorphic calcifications; otherwise smooth mass or coarse round calcifications."""
        return (self.label == "malignant") == self.typical


class Speck(NamedTuple):
    """One calcification."""

    place: Place
    radius_mm: float
    stretch: float
    """Length over width, 1 or more."""
    contrast: float


class Drawn(NamedTuple):
    """Something drawn in one view."""

    top: int
    left: int
    signal: Array
    """Grey level to add to the pixels from (top, left) on; may reach over the border of the image."""
    mask: NDArray[np.bool_]
    """Same shape: the thing itself; for a mass its core without spicules."""


def draw_mass(
    centre: tuple[float, float],
    radius_mm: float,
    contrast: float,
    spiculated: bool,
    pixel_mm: float,
    rng: np.random.Generator,
    ill_defined: bool = False,
) -> Drawn:
    """A mass at the continuous (row, column) `centre`: smooth and sharp, or irregular with a softer margin and spicules. One that
    is `ill_defined` draws as many random numbers, and fades over most of its radius."""
    top, left, dy, dx = _square(centre, (3.0 if ill_defined else 2.7 if spiculated else 1.6) * radius_mm, pixel_mm)
    distance: Array = np.sqrt(dy * dy + dx * dx)
    angle = np.arctan2(dy, dx)
    orders = np.arange(2, 10 if spiculated else 5)
    swings = rng.normal(0, 0.13 if spiculated else 0.07, orders.size) / np.sqrt(orders - 1)
    border = np.ones_like(angle)
    for order, swing, phase in zip(orders, swings, rng.uniform(0, 2 * np.pi, orders.size), strict=True):
        border += np.float32(swing) * np.cos(np.float32(order) * angle + np.float32(phase))
    distance /= np.float32(radius_mm)
    rho = distance / np.clip(border, 0.6, 1.5)
    soft = rng.uniform(0.08, 0.30) if spiculated else rng.uniform(0.04, 0.16)
    if ill_defined:
        soft += 0.4
    thickness = np.float32(0.55) + np.float32(0.45) * np.sqrt(np.clip(1 - rho * rho, 0, 1))
    signal = (thickness / (1 + np.exp(np.clip((rho - 1) * np.float32(2.2 / soft), -30, 30)))).astype(np.float32)
    if spiculated:
        np.maximum(signal, _spicules(distance, angle, pixel_mm / radius_mm, rng), out=signal)
    else:  # the halo sign of some benign masses: a thin lucent rim
        halo = np.exp(-np.square((rho - 1.22) / np.float32(0.13)))
        signal -= np.float32(rng.uniform(0.05, 0.3) * (not ill_defined)) * halo.astype(np.float32)
    return Drawn(top, left, np.float32(contrast) * signal, rho <= 1)


def _spicules(rho: Array, angle: Array, pixel: float, rng: np.random.Generator) -> Array:
    """Thin lines that taper outwards, 0 to 0.95, in units of the radius; never thinner than a pixel shows."""
    total = np.zeros(rho.shape, np.float32)
    count = int(rng.integers(12, 22))
    for turn in np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.15, count):
        length, bow = rng.uniform(1.8, 3.2), rng.normal(0, 0.15)
        width = max(rng.uniform(0.07, 0.14), 0.6 * pixel)
        off = angle - np.float32(turn) - np.float32(bow) * rho
        across = rho * np.sin(off) / np.float32(width)
        along = np.clip((np.float32(length) - rho) / np.float32(length - 0.6), 0, 1)
        line = np.exp(-np.square(across)) * along * (np.cos(off) > 0)
        np.maximum(total, np.float32(rng.uniform(0.55, 0.95)) * line, out=total)
    return total


def sample_specks(lesion: Lesion, config: PhantomConfig, rng: np.random.Generator) -> list[Speck]:
    """The calcifications of a cluster: few, round and alike (benign), or many, fine and of all shapes (malignant).

    The rules follow the morphology terms of the BI-RADS Atlas (2013); the numbers are our own choice.
    """
    fine = lesion.aggressive_look
    low, high = config.speck_radius_mm
    count = int(rng.integers(12, 28)) if fine else int(rng.integers(5, 11))
    common = rng.uniform(0.55 * low + 0.45 * high, high)
    specks = []
    for direction in rng.normal(0, 1, (count, 3)):
        offset = direction / np.linalg.norm(direction) * rng.uniform() ** 0.45 * lesion.radius_mm
        place = Place(*(float(centre + x) for centre, x in zip(lesion.place, offset, strict=True)))
        if fine:
            radius, stretch = rng.uniform(low, 0.4 * low + 0.6 * high), rng.uniform(1, 2.5)
            contrast = lesion.contrast * rng.uniform(0.5, 1.3)
        else:
            radius, stretch = common * rng.uniform(0.85, 1.1), rng.uniform(1, 1.15)
            contrast = lesion.contrast * rng.uniform(0.85, 1.15)
        specks.append(Speck(place, radius, stretch, contrast))
    return specks


def draw_speck(centre: tuple[float, float], speck: Speck, pixel_mm: float, rng: np.random.Generator) -> Drawn:
    """One calcification as a bright spot at the continuous (row, column) `centre`.

    What is smaller than a pixel loses contrast in proportion to its area.
    """
    wide = float(np.hypot(speck.radius_mm, 0.45 * pixel_mm))
    top, left, dy, dx = _square(centre, 2.5 * wide * speck.stretch, pixel_mm)
    turn = rng.uniform(0, np.pi)
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / speck.stretch
    v = dy * np.cos(turn) - dx * np.sin(turn)
    rho2 = (u * u + v * v) / wide**2
    signal = np.exp(-rho2) * (speck.contrast * (speck.radius_mm / wide) ** 2)
    return Drawn(top, left, signal.astype(np.float32), rho2 <= 1)


def _square(centre: tuple[float, float], reach_mm: float, pixel_mm: float) -> tuple[int, int, Array, Array]:
    """Pixels around a point: top, left, and the vertical (n, 1) and horizontal (1, n) offsets of their centres in mm."""
    half = int(np.ceil(reach_mm / pixel_mm)) + 1
    top, left = int(np.floor(centre[0])) - half, int(np.floor(centre[1])) - half
    steps = np.arange(2 * half + 1, dtype=np.float32) + np.float32(0.5)
    dy = (steps + np.float32(top - centre[0])) * np.float32(pixel_mm)
    dx = (steps + np.float32(left - centre[1])) * np.float32(pixel_mm)
    return top, left, dy[:, None], dx[None, :]
