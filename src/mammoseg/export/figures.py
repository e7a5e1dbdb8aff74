"""A figure per image: truth if there is any, patches and window, maps, and each patch enlarged."""

import logging
from collections.abc import Callable
from pathlib import Path

from mammoseg.config import Config
from mammoseg.data.manifest import ImageRow
from mammoseg.data.masks import readable_masks
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.io.figures import FigureKind
from mammoseg.io.repeats import Repeats
from mammoseg.io.runs import overlay_path
from mammoseg.prep.config import PrepConfig
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction

logger = logging.getLogger(__name__)


class Options(Config):
    kind: FigureKind = "png"
    """Of the files: png, or with text as text pdf or svg."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/<image_id>.<kind> for every image, with the truth of the manifest if there is one."""

    def draw(image: Predicted) -> None:
        truth = image.truth()
        sheet = overlay_sheet(image.image().pixels, image.prediction, truth.masks, image.prep, truth.unread)
        sheet.save(out / f"{image.prediction.image_id}.{options.kind}", options.kind)

    predictions.each(draw)


def overlay_writer(
    folder: Path, prep: PrepConfig, kind: FigureKind = "png"
) -> Callable[[Prediction, Mammogram, ImageRow], None]:
    """A function that writes the figure of one prediction into a predictions folder, with the truth from its row.

    `prep` is how the images were prepared: it says how the breast is found.
    """
    told = Repeats("drawn without its true lesion", logger.warning)

    def write(prediction: Prediction, image: Mammogram, row: ImageRow) -> None:
        truth = readable_masks(row.masks, prediction.grid, row.mask_frame)
        for why in truth.unread.values():
            told.add(row.image_id, row.path, row.shown(why))
        sheet = overlay_sheet(image.pixels, prediction, truth.masks, prep, truth.unread)
        sheet.save(overlay_path(folder, prediction.image_id, kind), kind)

    return write
