"""A figure of every image: truth if there is any, patches and window, maps, and each patch enlarged (drawing/overlay.py)."""

from collections.abc import Callable
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.data.masks import image_masks
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.io.atomic import atomic_path
from mammoseg.io.figures import FigureKind
from mammoseg.io.runs import overlay_path
from mammoseg.prep.config import PrepConfig
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction


def overlay_writer(
    folder: Path, prep: PrepConfig, kind: FigureKind = "png"
) -> Callable[[Prediction, Mammogram, ImageRow], None]:
    """A function that writes the figure of one prediction into a predictions folder, with the truth from its row.

    `prep` is how the images were prepared: it says how the breast is found.
    """

    def write(prediction: Prediction, image: Mammogram, row: ImageRow) -> None:
        masks = image_masks(row.masks, prediction.grid, row.mask_frame)
        sheet = overlay_sheet(image.pixels, prediction, masks, prep)
        with atomic_path(overlay_path(folder, prediction.image_id, kind)) as temporary:
            sheet.save(temporary, kind)

    return write
