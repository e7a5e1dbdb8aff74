"""One image of a manifest, from its file to the breast cut out of it."""

from collections.abc import Sequence

from mammoseg.data.heatmaps import with_heatmaps
from mammoseg.data.manifest import ImageRow
from mammoseg.io.read import read_image
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.records.image import Mammogram


def load_crop(row: ImageRow, prep: PrepConfig, heatmaps: Sequence[str]) -> tuple[Mammogram, BreastCrop]:
    """The image as it is in the file, and its breast; with the heatmaps of these classes.

    Raises ImageReadError, HeatmapError or PrepError.
    """
    image = row.mammogram(*read_image(row.path, prep.dicom))
    if heatmaps:
        image = with_heatmaps(image, row, heatmaps)
    return image, crop_breast(image, prep)
