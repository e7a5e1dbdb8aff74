"""The files about places: every lesion, every mark, every point of the FROC curves, and their figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mammoseg.evaluation.free_response import froc_points
from mammoseg.evaluation.localise import Localised
from mammoseg.evaluation.place_figures import froc_figure, global_against_local
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import FIGURE_KINDS, write_figure

FIGURES = ("froc", "dice_scatter")
PLACES = ("froc.csv", "lesions.csv", "marks.csv", *(f"{name}.{kind}" for name in FIGURES for kind in FIGURE_KINDS))
"""What `write_places` may write."""


def write_places(out: Path, found: Localised, marks: Mapping[str, Any]) -> None:
    """Write them into `out`; nothing without a drawn lesion. `marks` as in metrics.json."""
    if not marks:
        return
    points = froc_points(found)
    write_csv(out / "froc.csv", points.replace([np.inf, -np.inf], np.nan))
    write_csv(out / "lesions.csv", found.lesions.replace(-np.inf, np.nan))
    write_csv(out / "marks.csv", found.marks)
    write_figure(out, "froc", froc_figure(points, marks))
    if scatter := global_against_local(found.pixel_rows):
        write_figure(out, "dice_scatter", scatter)
