"""Maps without pixels, for images that must not be passed on: breast, true lesions, patches and saliency of an image.

    mammoseg export examples.outlines --predictions PREDICTIONS --manifest MANIFEST --out FOLDER

An exporter outside the package, run from the folder above. A panel per class: the map in colour, the breast outlined in grey,
its true lesions in the colour of the class, patches dotted.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mammoseg.config import Config
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.drawing.tint import breast_in
from mammoseg.io.atomic import atomic_path
from mammoseg.io.figures import FigureKind, save_figure
from mammoseg.records.colours import looks

COLOUR_MAPS = {"blue": "Blues", "orange": "Oranges", "green": "Greens", "purple": "Purples", "yellow": "YlOrBr"}


class Options(Config):
    kind: FigureKind = "png"


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/<image_id>.<kind>."""

    def draw(image: Predicted) -> None:
        with atomic_path(out / f"{image.prediction.image_id}.{options.kind}") as temporary:
            save_figure(outlines(image), temporary, options.kind)

    predictions.each(draw)


def outlines(image: Predicted) -> Figure:
    prediction, masks = image.prediction, image.truth().masks
    breast = breast_in(image.image().pixels.astype(np.float32), prediction.grid, image.prep)
    saliency = prediction.grid.restore(prediction.maps["saliency"].astype(np.float32))
    figure = Figure(figsize=(3.2 * len(saliency), 4), dpi=80, layout="constrained")
    panels = figure.subplots(1, len(saliency), squeeze=False)[0]
    for panel, (name, look), values in zip(panels, looks(prediction.scores).items(), saliency, strict=True):
        shown = panel.imshow(values, cmap=COLOUR_MAPS[look.colour], vmin=0, vmax=1, interpolation="nearest")
        panel.contour(breast, levels=[0.5], colors="gray", linewidths=1)
        if name in masks:
            panel.contour(masks[name], levels=[0.5], colors=look.on_light, linestyles=look.line, linewidths=2)
        for patch in prediction.patches:
            ends = patch.row + patch.size, patch.col + patch.size
            top, left, bottom, right = prediction.grid.box_in_original(patch.row, patch.col, *ends)
            panel.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, linestyle="dotted"))
        panel.set_title(f"{prediction.image_id}  {name} {prediction.scores[name]:.2f}", fontsize=9)
        panel.set_axis_off()
        figure.colorbar(shown, ax=panel, shrink=0.8)
    return figure
