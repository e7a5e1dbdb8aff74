"""One mammogram as pixels, before any preparation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mammoseg.records.source import Source

Laterality = Literal["L", "R"]
DicomMode = Literal["nyu", "presentation"]
"""What is taken for the pixels of a DICOM file: stored values, as the published NYU weights saw them, or what a viewer shows."""

LARGEST_PIXEL_MM = 5.0
"""Largest side of a pixel that is believed, in millimetres."""
MAX_PIXELS = 150_000_000
"""Most pixels of an image. A mammogram has up to 24 million, a film scanned at 25 um 100 million."""


def side_of(text: str) -> Laterality | None:
    """L or R, of `l`, `left`, `R` or `Right`; None for anything else."""
    side = text.upper()
    return "L" if side in ("L", "LEFT") else "R" if side in ("R", "RIGHT") else None


@dataclass(frozen=True)
class Mammogram:
    """A single image with what is needed to orient and scale it."""

    pixels: NDArray[np.generic]
    """(H, W) uint8 or uint16 stored values in file orientation; brighter is denser tissue."""
    laterality: Laterality
    """Which breast: L or R."""
    view: str
    """Projection: CC, MLO, ML, LM, XCCL, ..."""
    image_id: str
    """Name used in messages and for output files."""
    pixel_mm: float | None = None
    """Side of a pixel in millimetres; None if unknown."""
    horizontal_flip: bool | None = None
    """True: the file is mirrored against the usual orientation (left breasts point right, right breasts point left);
    False: it is not; None: decide from the pixels."""
    heatmaps: NDArray[np.uint16] | None = None
    """(classes, H, W) a probability for every pixel and class; 65535 stands for 1. None: not there,
    or not wanted."""
    reading: tuple[str, ...] = ()
    """What was done to the stored values when the file was read, in plain words."""
    source: Source | None = None
    """The file; None: the pixels come from none."""
