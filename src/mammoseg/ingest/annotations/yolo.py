"""YOLO: a text file per image with boxes or polygons, and a file with the names of the classes.

    3 0.5 0.5 0.2 0.1               class, middle x, middle y, width, height
    3 0.1 0.1 0.2 0.1 0.2 0.3       class, x, y of each corner (at least three)

as shares of the width and the height of the image. The names stand in `classes.txt`, `obj.names` or `data.yaml`, beside the file or
in one of two folders above it; without them the number is the label.

Source: https://docs.ultralytics.com/datasets/segment; darknet.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mammoseg.bounded import read_bounded
from mammoseg.config import Config, read_yaml
from mammoseg.ingest.annotation import NAMED, Annotation, AnnotationError, Patch, Size, checked_count, damage
from mammoseg.ingest.regions import Points, box_of, draw_outlines, points_of
from mammoseg.records.finding import Box

TITLE = "YOLO, a text file per image and a file with the names of the classes"
IMAGES = NAMED
_NAMES = ("classes.txt", "obj.names", "data.yaml")
_HIGHER = 3
"""Folders in which the names are looked for, from that of the file upwards."""
_MOST_BYTES = 1 << 24
_SLACK = 0.01
"""How far beyond the image a share may lie, which rounding does."""


class Options(Config):
    """Nothing to set."""


def reads(path: Path) -> bool:
    """By the suffix; files with the names of classes, and lists of images, are none."""
    return path.suffix.lower() == ".txt" and path.name not in (*_NAMES, "train.txt", "val.txt", "test.txt")


def read(path: Path, options: Options) -> list[Annotation]:
    """A line each. Raises AnnotationError if a line is none of YOLO's."""
    names = _names(path.parent)
    with damage("the text file"):
        lines = read_bounded(path, _MOST_BYTES).decode("utf-8-sig").splitlines()
    checked_count(len(lines))
    return [
        _annotation(path, number, line.split(), names) for number, line in enumerate(lines, start=1) if line.strip()
    ]


def _annotation(path: Path, number: int, words: list[str], names: Mapping[int, str]) -> Annotation:
    item = f"line {number}"
    if len(words) != 5 and (len(words) < 7 or len(words) % 2 == 0):
        raise AnnotationError(
            f"{item} has {len(words)} numbers. Expected a class with x, y, width, height, or with x, y of three corners or more."
        )
    try:
        kind, shares = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise AnnotationError(f"{item} does not hold numbers only. Expected a class and shares of the image.") from None
    points = points_of(shares, item)
    if len(words) == 5:
        middle, half = points[0], points[1] / 2
        points = np.stack([middle - half, middle + half])
    if not ((points >= -_SLACK) & (points <= 1 + _SLACK)).all():
        raise AnnotationError(f"{item} reaches beyond the image. Expected shares of width and height, from 0 to 1.")
    label = names.get(kind, str(kind))
    if len(words) > 5:
        return Annotation(item, (path.stem,), label, partial(_polygon, points))
    return Annotation(item, (path.stem,), label, None, box=partial(_box, points))


def _box(corners: Points, size: Size) -> Box:
    return box_of(corners * size[::-1], size)


def _polygon(corners: Points, size: Size) -> Patch:
    return draw_outlines([corners * size[::-1]], size)


def _names(folder: Path) -> dict[int, str]:
    """Number -> name of a class; nothing where there is no such file."""
    for place in [folder.absolute(), *folder.absolute().parents][:_HIGHER]:
        for name in _NAMES:
            if (place / name).is_file():
                with damage(f"{name} with the names of the classes"):
                    return _listed(place / name)
    return {}


def _listed(path: Path) -> dict[int, str]:
    if path.suffix != ".yaml":
        lines = read_bounded(path, _MOST_BYTES).decode("utf-8-sig").splitlines()
        return dict(enumerate(line.strip() for line in lines))
    listed: Any = read_yaml(path).get("names")
    pairs = enumerate(listed) if isinstance(listed, list) else listed.items()
    return {int(number): name for number, name in pairs if isinstance(name, str)}
