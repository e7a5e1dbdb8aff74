"""One image of a manifest, from its files to the breast cut out of it, with heatmaps for models that see them.

Heatmaps are more channels beside the mammogram, as a variant of GMIC sees them: image files with a probability for every
pixel of the mammogram, one per class, made by another model; 8 or 16 bits, and the largest value of the type stands for 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mammoseg.data.columns import HEATMAP
from mammoseg.data.manifest import ImageRow
from mammoseg.io.read import ImageReadError, read_image, read_pixels
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.records.image import Mammogram
from mammoseg.wording import counted, listed


class HeatmapError(ValueError):
    """Images without the heatmaps that the model sees."""


def load_crop(row: ImageRow, prep: PrepConfig, heatmaps: Sequence[str]) -> tuple[Mammogram, BreastCrop]:
    """The image as it is in the file, and its breast; with the heatmaps of these classes.

    Raises ImageReadError, HeatmapError or PrepError.
    """
    image = row.mammogram(*read_image(row.path, prep.dicom))
    if heatmaps:
        image = with_heatmaps(image, row, heatmaps)
    return image, crop_breast(image, prep)


def check_heatmaps(rows: Iterable[ImageRow], classes: Sequence[str], where: Path) -> None:
    """Raises HeatmapError listing the rows of the table `where` that lack a heatmap of one of the `classes`."""
    lacking = [row.image_id for row in rows if not row.heatmaps.keys() >= set(classes)]
    if lacking:
        number = f"{counted(len(lacking), 'image')} {'is' if len(lacking) == 1 else 'are'}"
        raise HeatmapError(
            f"{where}: {number} without a heatmap: {listed(lacking)}. Expected those of "
            f"{' and '.join(classes)}, which the model sees beside the mammogram. Fill the columns {_columns(classes)}, leave "
            "these rows out, or train a network without heatmaps (GMIC: --set network.heatmaps=false)."
        )


def heatmap_files(row: ImageRow, classes: Sequence[str]) -> list[Path]:
    """The files in the order of the `classes`. Raises HeatmapError if one is not there."""
    if missing := [name for name in classes if name not in row.heatmaps]:
        raise HeatmapError(
            f"{row.path}: the image is without {_columns(missing)}. Expected the heatmaps of {' and '.join(classes)}, which the "
            "model sees beside the mammogram. Fill these columns of the manifest, or use a model without heatmaps."
        )
    return [row.heatmaps[name] for name in classes]


def with_heatmaps(image: Mammogram, row: ImageRow, classes: Sequence[str]) -> Mammogram:
    """The image with the heatmaps of its row, in 16 bits.

    Raises HeatmapError if the row has not all of them, ImageReadError for a file that cannot be read or has another size.
    """
    return replace(image, heatmaps=np.stack([_read(path, image.pixels.shape) for path in heatmap_files(row, classes)]))


def _columns(classes: Sequence[str]) -> str:
    return " and ".join(HEATMAP.format(name) for name in classes)


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    values = read_pixels(path)
    if values.shape != shape:
        raise ImageReadError(
            f"{path}: the heatmap has {values.shape} pixels. Expected {shape}, those of the image file. Make it again from "
            "this image, or correct the manifest."
        )
    wide = values.astype(np.uint16)
    return wide * np.uint16(257) if values.dtype == np.uint8 else wide  # 255 -> 65535, exactly
