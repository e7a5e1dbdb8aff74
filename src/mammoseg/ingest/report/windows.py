"""Which model windows fit the images of a scanned folder: the table behind the advice of `mammoseg scan`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mammoseg.data.window_fit import fits
from mammoseg.ingest.exams import Row
from mammoseg.ingest.quality import GREY
from mammoseg.prep.config import PrepConfig

UNKNOWN = "unknown"
_FILMS = 0.3
"""Share of images with a background that is not 0 above which a folder is one of films: 36 % of mini-MIAS, 78 % of the films
of CBIS-DDSM, 19 % of digital mammograms that were saved as JPEG (inverted ones among them), none saved without losses."""


def pixel_sizes(images: Sequence[Row]) -> dict[str, int]:
    """Pixel side, as in `0.07 mm` or `unknown` -> images, the most frequent first."""
    sizes = (image.cells()["pixel_mm"] for image in images)
    return dict(Counter(UNKNOWN if size is None else f"{size:g} mm" for size in sizes).most_common())


def are_films(images: Sequence[Row]) -> bool:
    """Whether so many images have a background that is not 0 that they must be digitised films."""
    return sum(GREY in image.findings for image in images) > _FILMS * len(images)


def judge_windows(images: Sequence[Row], windows: Mapping[str, PrepConfig], first_row: int) -> list[dict[str, Any]]:
    """For each window, by name, what the images show through it; rows count from `first_row`, as in a spreadsheet.

    Empty if the pixels were not looked at.
    """
    if not any(image.seen.windows for image in images):
        return []
    return [_judged(name, prep, images, first_row) for name, prep in windows.items()]


def _judged(name: str, prep: PrepConfig, images: Sequence[Row], first_row: int) -> dict[str, Any]:
    found = [image.seen.windows.get(name) for image in images]
    below = [row for row, facts in enumerate(found, first_row) if facts is None or not fits(facts, prep)]
    in_window, filled = (
        float(np.median([getattr(facts, share) if facts else 0.0 for facts in found]))
        for share in ("in_window", "fills_window")
    )
    film_wanted = are_films(images) and prep.background != "film"
    return {
        "recipes": name,
        "window": list(prep.window),
        "pixel_mm": prep.pixel_mm,
        "in_window": round(in_window, 3),
        "fills_window": round(filled, 3),
        "images_below": len(below),
        "rows_below": below,
        "fits": in_window >= prep.least_in_window and filled >= prep.least_filled and not film_wanted,
        "film_wanted": film_wanted,
    }
