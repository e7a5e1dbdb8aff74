"""What preparation made of each image: a table, and a small picture of the breast beside the window cut from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.io.atomic import atomic_path
from mammoseg.io.cells import write_csv
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.window import Borders, cut_out, grid_of, window_borders

HEIGHT = 480
"""Rows of a preview."""
_GAP = 8
_BORDER = 255

COLUMNS = (
    "image_id",
    "pixel_mm",
    "rows",
    "columns",
    "flipped",
    "top",
    "left",
    "height",
    "width",
    "in_window",
    "fills_window",
    "remarks",
)


def write_prepared(folder: Path, rows: Sequence[ImageRow], cache: CropCache, prep: PrepConfig, previews: bool) -> int:
    """Write prepared.csv and, if wanted, previews/<image_id>.png; returns how many images have remarks."""
    records = []
    for row in rows:
        crop = cache.get(row)
        borders = window_borders(crop, prep.window_of(crop.view), fit=prep.fit)
        records.append(_record(row, crop, borders, prep))
        if previews:
            picture = _picture(crop, borders, prep)
            with atomic_path(folder / "previews" / f"{row.image_id}.png") as path:
                path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    table = pd.DataFrame(records, columns=list(COLUMNS))
    write_csv(folder / "prepared.csv", table)
    return int((table["remarks"] != "").sum())


def _record(row: ImageRow, crop: BreastCrop, borders: Borders, prep: PrepConfig) -> dict[str, Any]:
    grid = grid_of(crop, borders, prep.window_of(crop.view))
    facts = crop.facts
    return {
        "image_id": row.image_id,
        "pixel_mm": row.pixel_mm,
        **dict(zip(("rows", "columns"), grid.working_shape, strict=True)),
        **{name: getattr(grid, name) for name in ("flipped", "top", "left", "height", "width")},
        **({name: round(getattr(facts, name), 3) for name in ("in_window", "fills_window")} if facts else {}),
        "remarks": "; ".join(crop.notes),
    }


def _picture(crop: BreastCrop, borders: Borders, prep: PrepConfig) -> NDArray[np.uint8]:
    """(HEIGHT, columns) the box around the breast with the border of the window, and the window."""
    rows, cols = crop.pixels.shape
    top, bottom = borders.top - borders.pad_top, borders.bottom - borders.pad_top
    above, left = max(0, -top), max(0, -borders.left)
    whole = np.zeros((above + max(rows, bottom), left + max(cols, borders.right)), np.float32)
    whole[above : above + rows, left : left + cols] = crop.pixels
    scale = HEIGHT / len(whole)
    box = _gray(whole)
    corners = [(left + borders.left, above + top), (left + borders.right - 1, above + bottom - 1)]
    start, end = ([round(value * scale) for value in corner] for corner in corners)
    cv2.rectangle(box, start, [min(end[0], box.shape[1] - 1), min(end[1], HEIGHT - 1)], _BORDER, 1)
    window = _gray(cut_out(crop.pixels, borders, prep.window_of(crop.view), prep.fit))
    return np.hstack([box, np.full((HEIGHT, _GAP), _BORDER, np.uint8), window])


def _gray(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    width = max(1, round(HEIGHT * plane.shape[1] / plane.shape[0]))
    small = cv2.resize(plane, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.clip(small * (255 / max(float(np.percentile(small, 99.8)), 1e-6)), 0, 255).astype(np.uint8)
