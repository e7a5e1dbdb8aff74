"""Draw maps without pixels: breast outline, true lesions, patches and saliency, for images that must not be passed on.

    python examples/map_outlines.py PREDICTIONS MANIFEST FIGURE.png IMAGE_ID [IMAGE_ID ...]

One column per image: benign map in blue, malignant map in orange, true lesions outlined in the same colours (benign dashed,
malignant solid), patches dotted, the breast in grey.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mammoseg.config import parse
from mammoseg.data.manifest import load_manifest
from mammoseg.io.read import read_mask, read_pixels
from mammoseg.io.runs import load_prediction, read_run
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.prep.window import cut_window
from mammoseg.records.colours import LOOKS
from mammoseg.records.label import CLASSES

COLOUR_MAPS = {"benign": "Blues", "malignant": "Oranges"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("figure", type=Path)
    parser.add_argument("image_ids", nargs="+")
    arguments = parser.parse_args()
    prep = parse(PrepConfig, read_run(arguments.predictions)["prep"], str(arguments.predictions))
    rows = {row.image_id: row for row in load_manifest(arguments.manifest).rows()}
    count = len(arguments.image_ids)
    figure = Figure(figsize=(3.2 * count, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, count, squeeze=False)
    for column, image_id in enumerate(arguments.image_ids):
        row, prediction = rows[image_id], load_prediction(arguments.predictions, image_id)
        window, grid = cut_window(crop_breast(row.mammogram(read_pixels(row.path)), prep), prep.window)
        breast = grid.restore((window > 0).astype(np.float32))
        saliency = prediction.grid.restore(prediction.maps["saliency"].astype(np.float32))
        for panel, name, values in zip(axes[:, column], CLASSES, saliency, strict=True):
            shown = panel.imshow(values, cmap=COLOUR_MAPS[name], vmin=0, vmax=1, interpolation="nearest")
            panel.contour(breast, levels=[0.5], colors="gray", linewidths=1)
            if (path := row.masks[name]) is not None:
                look, mask = LOOKS[name], read_mask(path).astype(np.float32)
                panel.contour(mask, levels=[0.5], colors=look.on_light, linestyles=look.line, linewidths=2)
            for patch in prediction.patches:
                ends = np.array([[patch.row, patch.col], [patch.row + patch.size, patch.col + patch.size]], float)
                (top, left), (bottom, right) = prediction.grid.to_original(ends)
                panel.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, linestyle="dotted"))
            panel.set_title(f"{image_id}  {name} {prediction.scores[name]:.2f}", fontsize=9)
            panel.set_axis_off()
            if column == count - 1:
                figure.colorbar(shown, ax=panel, shrink=0.8)
    figure.savefig(arguments.figure, dpi=80)


if __name__ == "__main__":
    main()
