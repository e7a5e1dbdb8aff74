"""Circles of a lab: a CSV file with picture, what, x, y and radius in pixels of the picture."""

import csv
from functools import partial
from pathlib import Path

from mammoseg.config import Config
from mammoseg.ingest.annotation import NAMED, Annotation, Patch, Size, damage
from mammoseg.ingest.regions import draw_ellipse

TITLE = "circles of a lab, a CSV file about many images"
IMAGES = NAMED


class Options(Config):
    """Nothing to set."""


def reads(path: Path) -> bool:
    """By the name."""
    return path.name.startswith("circles") and path.suffix == ".csv"


def read(path: Path, options: Options) -> list[Annotation]:
    """A circle each."""
    with damage("the table"), path.open(encoding="utf-8", newline="") as file:
        return [_circle(number, row) for number, row in enumerate(csv.DictReader(file), start=2)]


def _circle(number: int, row: dict[str, str]) -> Annotation:
    x, y, radius = (float(row[name]) for name in ("x", "y", "radius"))
    return Annotation(f"row {number}", (row["picture"],), row["what"], partial(_draw, (x, y), radius))


def _draw(middle: tuple[float, float], radius: float, size: Size) -> Patch:
    return draw_ellipse(middle, (radius, radius), size)
