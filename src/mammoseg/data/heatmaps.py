"""Heatmaps: two more channels beside the mammogram, for the variant of GMIC that sees them.

A heatmap is an image file with a probability for every pixel of the mammogram, one file per class, made by another model:
8 or 16 bits, and the largest value of the type stands for 1.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mammoseg.config import Config
from mammoseg.data.columns import HEATMAP
from mammoseg.data.manifest import ImageRow
from mammoseg.io.read import ImageReadError, read_pixels
from mammoseg.records.image import Mammogram
from mammoseg.records.label import CLASSES

_SHOWN = 5


class HeatmapError(ValueError):
    """Images without the heatmaps that the model sees."""


def wants_heatmaps(network: Config) -> bool:
    """Whether a model of this configuration sees heatmaps beside the mammogram."""
    return bool(getattr(network, "heatmaps", False))


def check_heatmaps(rows: Iterable[ImageRow], where: Path) -> None:
    """Raises HeatmapError listing the rows of the table `where` that lack one or both heatmap files."""
    lacking = [row.image_id for row in rows if not row.heatmaps.keys() >= set(CLASSES)]
    if lacking:
        number = "image is" if len(lacking) == 1 else "images are"
        more = f" ... and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        raise HeatmapError(
            f"{where}: {len(lacking)} {number} without a heatmap: {', '.join(lacking[:_SHOWN])}{more}. Expected both, "
            "since the model sees them beside the mammogram (network.heatmaps). Fill the columns benign_heatmap and "
            "malignant_heatmap, leave these rows out, or train with --set network.heatmaps=false."
        )


def heatmap_files(row: ImageRow) -> list[Path]:
    """The files in the order of `CLASSES`. Raises HeatmapError if one is not there."""
    missing = [HEATMAP.format(name) for name in CLASSES if name not in row.heatmaps]
    if missing:
        raise HeatmapError(
            f"{row.path}: the image is without {' and '.join(missing)}. Expected both heatmaps, since the model sees them "
            "beside the mammogram. Fill these columns of the manifest, or use a model without heatmaps."
        )
    return [row.heatmaps[name] for name in CLASSES]


def with_heatmaps(image: Mammogram, row: ImageRow) -> Mammogram:
    """The image with the heatmaps of its row, in 16 bits.

    Raises HeatmapError if the row has not both, ImageReadError for a file that cannot be read or has another size.
    """
    maps = [_read(path, image.pixels.shape) for path in heatmap_files(row)]
    return replace(image, heatmaps=np.stack(maps))


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    values = read_pixels(path)
    if values.shape != shape:
        raise ImageReadError(
            f"{path}: the heatmap has {values.shape} pixels. Expected {shape}, those of the image file. Make it again from "
            "this image, or correct the manifest."
        )
    wide = values.astype(np.uint16)
    return wide * np.uint16(257) if values.dtype == np.uint8 else wide  # 255 -> 65535, exactly
