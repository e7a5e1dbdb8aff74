"""What preparation made of each image: a table, and a small picture of every window."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.io.atomic import atomic_path
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.window import cut_window

HEIGHT = 480
"""Rows of a preview."""


def write_prepared(folder: Path, rows: Sequence[ImageRow], cache: CropCache, prep: PrepConfig, previews: bool) -> int:
    """Write prepared.csv and, if wanted, previews/<image_id>.png; returns how many images have remarks."""
    records = []
    for row in rows:
        crop = cache.get(row)
        window, grid = cut_window(crop, prep.window, fit=prep.fit)
        place = {name: getattr(grid, name) for name in ("flipped", "top", "left", "height", "width")}
        size = dict(zip(("rows", "columns"), grid.working_shape, strict=True))
        records.append({"image_id": row.image_id, **size, **place, "remarks": "; ".join(crop.notes)})
        if previews:
            width = max(1, round(HEIGHT * window.shape[1] / window.shape[0]))
            small = cv2.resize(window, (width, HEIGHT), interpolation=cv2.INTER_AREA)
            gray = np.clip(small * (255 / max(float(np.percentile(small, 99.8)), 1e-6)), 0, 255).astype(np.uint8)
            with atomic_path(folder / "previews" / f"{row.image_id}.png") as path:
                path.write_bytes(cv2.imencode(".png", gray)[1].tobytes())
    table = pd.DataFrame(
        records, columns=["image_id", "rows", "columns", "flipped", "top", "left", "height", "width", "remarks"]
    )
    with atomic_path(folder / "prepared.csv") as path:
        table.to_csv(path, index=False, lineterminator="\n")
    return int((table["remarks"] != "").sum())
