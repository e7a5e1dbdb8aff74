"""One breast as seen in one view: outline, pectoral muscle, fibroglandular tissue, skin.

Geometry. A place in the breast is (lateral, superior, depth) in mm: lateral from the nipple plane towards the arm,
superior from the nipple towards the head, depth from the chest wall towards the nipple. Compression is ignored: a view
is a parallel projection that keeps the depth,

    CC    column = depth, height above the nipple row = lateral
    MLO   column = depth, height above the nipple row = superior * cos(angle) + lateral * sin(angle).

Everything here is drawn pointing right (chest wall at column 0); the exam mirrors right breasts.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.texture import Array, power_law_pair

View = Literal["CC", "MLO"]
DENSITIES = ("a", "b", "c", "d")
# How far the fibroglandular tissue fills its region, and how large that region is, for densities a to d (own choice).
_FILLING = (-1.5, -0.8, -0.1, 0.8)
_REGION = (0.75, 0.85, 0.95, 1.05)
_SKIN_MM = 1.5
_EDGE_MM = 22.0  # where the compressed breast starts to get thinner


@dataclass(frozen=True)
class BreastShape:
    """The measures of one breast that both views share."""

    depth_mm: float
    half_width_mm: float
    density: int
    angle: float
    """Between CC and MLO, radians."""


@dataclass(frozen=True)
class Projection:
    """One view of a breast, pointing right, on the whole field (rows, columns)."""

    image: Array
    """Grey level without lesions: 0 outside, about 0.1 to 0.8 inside."""
    mask: NDArray[np.bool_]
    """The breast with its skin."""
    skin_mm: Array
    """Distance of each breast pixel to the skin line."""
    pectoral: Array
    """0 to 1, the muscle."""
    nipple_row_mm: float
    """Height of the nipple, from the top of the image."""

    def pixel(self, height_mm: float, depth_mm: float, pixel_mm: float) -> tuple[float, float]:
        """Continuous (row, column) of a point at this height above the nipple row and depth."""
        return (self.nipple_row_mm - height_mm) / pixel_mm, depth_mm / pixel_mm


def height_mm(view: View, lateral: float, superior: float, angle: float) -> float:
    """Where a place is seen, above the row of the nipple. See the module text."""
    return lateral if view == "CC" else float(superior * np.cos(angle) + lateral * np.sin(angle))


def sample_shape(config: PhantomConfig, density: int, rng: np.random.Generator) -> BreastShape:
    """Draw the measures of a breast that fits the field."""
    depth = min(rng.uniform(*config.breast_depth_mm), 0.88 * config.columns * config.pixel_mm)
    half_width = min(depth * rng.uniform(0.95, 1.25), 0.46 * config.rows * config.pixel_mm)
    return BreastShape(depth, half_width, density, np.deg2rad(rng.uniform(*config.mlo_angle_deg)))


def project(shape: BreastShape, view: View, config: PhantomConfig, rng: np.random.Generator) -> Projection:
    """Draw the tissue of one view; two calls with different generators are two realisations of the same breast."""
    pixel, size = config.pixel_mm, (config.rows, config.columns)
    rows_mm = (np.arange(size[0], dtype=np.float32) + 0.5) * pixel
    nipple, edge = _outline(shape, view, rows_mm, rng)
    # Only the part of the field that the breast reaches is drawn; steps of a sixteenth keep the spectra reusable.
    step = max(1, size[1] // 16)
    width = min(size[1], (int(edge.max() / pixel) // step + 1) * step)
    depth_mm = ((np.arange(width, dtype=np.float32) + 0.5) * pixel)[None, :]
    height = (nipple - rows_mm)[:, None]
    mask = depth_mm < edge[:, None]
    skin = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) * np.float32(pixel)

    pectoral = np.zeros(mask.shape, np.float32)
    if view == "MLO":
        pectoral = _pectoral(edge[0], nipple, rows_mm[:, None], depth_mm, rng)
    image = _tissue(shape, height, depth_mm, pectoral, config, rng)
    image *= thinned(thickness(skin))
    image += np.float32(0.10) * np.exp(-np.square(skin / np.float32(_SKIN_MM)))
    image *= mask
    pad = ((0, 0), (0, size[1] - width))
    return Projection(np.pad(image, pad), np.pad(mask, pad), np.pad(skin, pad), np.pad(pectoral, pad), nipple)


def thickness(skin_mm: Array) -> Array:
    """Of the compressed breast, a share of that in its middle: 0 at the skin, 1 from 22 mm inwards on, round between."""
    return np.sqrt(1 - np.square(1 - np.clip(skin_mm / _EDGE_MM, 0, 1)))


def thinned(thick: Array) -> Array:
    """What is left of grey levels where a share of the thickness is: as displayed, digital images keep a third at the skin."""
    return np.float32(0.35) + np.float32(0.65) * thick


def _outline(
    shape: BreastShape, view: View, rows_mm: Array, rng: np.random.Generator
) -> tuple[float, NDArray[np.float32]]:
    """Nipple row and, for every row, the depth of the skin (mm)."""
    field = float(rows_mm[-1])
    bend = rng.uniform(1.8, 2.3)
    nipple = field * (rng.uniform(0.48, 0.52) if view == "CC" else rng.uniform(0.56, 0.64))
    height = nipple - rows_mm
    if view == "CC":
        upper = _arc(height, shape.half_width_mm * rng.uniform(0.95, 1.0), bend)
        lower = _arc(-height, shape.half_width_mm * rng.uniform(0.9, 1.0), bend)
    else:  # towards the armpit the outline runs out to a strip
        strip = rng.uniform(0.42, 0.62)
        upper = strip + (1 - strip) * (0.5 + 0.5 * np.cos(np.pi * np.clip(height / (0.85 * nipple), 0, 1)))
        lower = _arc(-height, min(shape.half_width_mm * rng.uniform(0.75, 0.95), 0.94 * (field - nipple)), bend)
    edge = shape.depth_mm * np.where(height >= 0, upper, lower)
    wave = np.sin(2 * np.pi * (rows_mm / rng.uniform(50, 120) + rng.uniform()))
    edge += np.minimum(1.2, 0.05 * edge) * wave
    edge += 2.5 * np.exp(-np.square(height / 3.0))  # the nipple
    return nipple, edge.astype(np.float32)


def _arc(height: Array, half_width: float, bend: float) -> NDArray[np.floating]:
    """A quarter of a (super-)ellipse: 1 at height 0, 0 from `half_width` on."""
    return (1 - np.clip(height / half_width, 0, 1) ** bend) ** (1 / bend)


def _pectoral(top_mm: float, nipple: float, rows_mm: Array, depth_mm: Array, rng: np.random.Generator) -> Array:
    """The muscle: a triangle with a slightly curved, soft border from the top edge to the chest wall."""
    wide, low = top_mm * rng.uniform(0.6, 0.9), nipple * rng.uniform(0.75, 1.05)
    border = wide * np.clip(1 - rows_mm / low, 0, 1) ** rng.uniform(0.8, 1.15)
    inside = (border - depth_mm) / np.float32(rng.uniform(0.8, 1.8))
    return np.clip(inside, 0, 1).astype(np.float32) * (border > 0)


def _tissue(
    shape: BreastShape, height: Array, depth: Array, pectoral: Array, config: PhantomConfig, rng: np.random.Generator
) -> Array:
    """Fat, fibroglandular tissue, strands that run towards the nipple, and muscle. The grey levels are our own choice."""
    clumps, overlap = power_law_pair(pectoral.shape, config.pixel_mm, config.beta, rng)
    reach = _REGION[shape.density] * rng.uniform(0.92, 1.08)
    across = (height - shape.half_width_mm * rng.uniform(-0.05, 0.15)) / (0.62 * shape.half_width_mm * reach)
    along = (depth - shape.depth_mm * rng.uniform(0.5, 0.6)) / (0.45 * shape.depth_mm * reach)
    region = 2.1 * (1 - np.sqrt(np.square(across) + np.square(along)))
    filling = _FILLING[shape.density] + rng.normal(0, 0.25)
    gland = np.tanh(0.9 * (np.clip(region, -2.5, 1) + filling) + 0.4 * clumps).astype(np.float32)
    gland = np.float32(0.5) * (gland + 1)
    strands = _strands(shape, height, depth, config, rng)
    # How rough and how stranded tissue is differs between women and views by more than a lesion changes it.
    rough, stranded = np.exp(rng.normal(0, (0.35, 0.35))).astype(np.float32)
    image = np.float32(0.20) + np.float32(0.25) * gland
    image += overlap * (np.float32(0.015) + np.float32(0.02) * gland) * rough
    image += strands * (np.float32(0.045) + np.float32(0.015) * gland) * stranded
    muscle = np.float32(0.46 + rng.normal(0, 0.03)) + np.float32(0.03) * overlap + np.float32(0.02) * strands
    image += pectoral * (muscle - image) * np.float32(0.85)
    return image


def _strands(shape: BreastShape, height: Array, depth: Array, config: PhantomConfig, rng: np.random.Generator) -> Array:
    """Thin bright lines, -0.2 to 0.8: the zero lines of a smooth field in polar coordinates around the nipple.

    The coordinates make the lines long and convergent there, like ducts and Cooper's ligaments.
    """
    focus = np.float32(shape.depth_mm + 12)
    turn = np.arctan2(height, focus - depth)
    turn -= turn.min()
    turn *= np.float32(70 / config.pixel_mm)  # columns and rows of the field: millimetres at a radius of 70 mm
    radius = np.sqrt(np.square(height) + np.square(focus - depth))
    radius *= np.float32(0.5 / config.pixel_mm)
    cells = (_rounded(int(turn.max()) + 2), _rounded(int(radius.max()) + 2))
    field, _ = power_law_pair(cells, config.pixel_mm, 5.5, rng, longest_mm=14.0)
    lines = np.exp(-np.abs(field) / np.float32(0.22))
    return cv2.remap(lines, radius, turn, cv2.INTER_LINEAR) - np.float32(0.2)


def _rounded(cells: int) -> int:
    """Up to the next of eight or more steps per doubling, so that spectra can be used again."""
    step = 1 << max(0, cells.bit_length() - 4)
    return -(-cells // step) * step
