"""COCO: one JSON file about many images, with boxes, polygons and run lengths (RLE).

Polygons are x, y, x, y ... and boxes x, y, width, height in pixels of the image, (0, 0) its upper left corner. Run lengths count
the pixels column by column, first those outside; compressed ones are numbers in base 32, from the third on less the last but one.

Run lengths are decoded here, since the library of COCO (pycocotools, in C) gives memory contents, or ends the process, for
damaged ones.

Source: https://cocodataset.org/#format-data; pycocotools, common/maskApi.h.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg.bounded import read_json
from mammoseg.config import Config
from mammoseg.ingest.annotation import (
    NAMED,
    Annotation,
    AnnotationError,
    Patch,
    Size,
    check_size,
    checked_count,
    damage,
)
from mammoseg.ingest.regions import box_of, draw_outlines, points_of
from mammoseg.records.finding import Box

TITLE = "COCO, a JSON file about many images (also from CVAT, Label Studio, MakeSense)"
IMAGES = NAMED


class Options(Config):
    """Nothing to set."""


def reads(path: Path) -> bool:
    """By the suffix."""
    return path.suffix.lower() == ".json"


def read(path: Path, options: Options) -> list[Annotation]:
    """The annotations of a file. Raises AnnotationError if it is no COCO file."""
    with damage("the JSON file"):
        content = read_json(path)
    lists: list[Any] = [
        content.get(name) if isinstance(content, dict) else None for name in ("images", "annotations", "categories")
    ]
    if not all(isinstance(each, list) and all(isinstance(item, dict) for item in each) for each in lists):
        raise AnnotationError(
            "it has no lists of images, annotations and categories. Expected a COCO file with all three."
        )
    images, annotations, categories = lists
    checked_count(len(annotations))
    names = {_key(category): str(category.get("name", "")) for category in categories}
    files = {_key(image): image for image in images}
    return [_annotation(number, each, files, names) for number, each in enumerate(annotations, start=1)]


def _key(item: dict[str, Any], name: str = "id") -> int | str:
    value = item.get(name)
    if not isinstance(value, int | str):
        raise AnnotationError(
            f"{name} of something is missing, or no number. Expected an id for every image and category."
        )
    return value


def _annotation(
    number: int, found: dict[str, Any], files: dict[Any, dict[str, Any]], names: dict[Any, str]
) -> Annotation:
    item = f"annotation {str(found.get('id', number))[:50]}"
    image, category = files.get(_key(found, "image_id")), _key(found, "category_id")
    if image is None:
        raise AnnotationError(
            f"{item} is about an image that is not in the list of images. Expected all of them there."
        )
    sides = image.get("height"), image.get("width")
    size = (sides[0], sides[1]) if isinstance(sides[0], int) and isinstance(sides[1], int) else None
    label = names.get(category, str(category))
    draw, box = _region(found, item)
    attributes = found.get("attributes")
    said = {str(k): str(v) for k, v in attributes.items()} if isinstance(attributes, dict) else {}
    return Annotation(item, (str(image.get("file_name", "")),), label, draw, box=box, size=size, said=said)


def _region(found: dict[str, Any], item: str) -> tuple[Callable[[Size], Patch] | None, Callable[[Size], Box] | None]:
    """How to draw it, and the box that is stated. What is wrong with it is told when it is drawn, not of the whole file."""
    segmentation, edges = found.get("segmentation"), found.get("bbox")
    try:
        box = _box(edges) if edges else None
        if isinstance(segmentation, dict):
            return (lambda size: _runs(segmentation, size)), box
        if isinstance(segmentation, list) and segmentation:
            outlines = [points_of(polygon, item) for polygon in segmentation]
            if any(len(outline) < 3 for outline in outlines):
                raise AnnotationError(f"{item}: a polygon has less than three corners. Expected x, y of each corner.")
            return (lambda size: draw_outlines(outlines, size)), box
        if box is None:
            raise AnnotationError(f"{item} has neither segmentation nor bbox. Expected one of them.")
        return None, box
    except AnnotationError as problem:
        error = problem

    def draw(size: Size) -> Patch:
        raise error

    return draw, None


def _box(edges: object) -> Callable[[Size], Box]:
    if not isinstance(edges, list) or len(edges) != 4:
        raise AnnotationError("bbox has not four numbers. Expected x, y, width, height.")
    (left, top), (width, height) = points_of(edges, "bbox").tolist()
    return partial(box_of, [left, top, left + width, top + height])


def _runs(segmentation: dict[str, Any], size: Size) -> Patch:
    sides = segmentation.get("size")
    if not isinstance(sides, list) or len(sides) != 2 or not all(isinstance(side, int) for side in sides):
        raise AnnotationError("the size of run lengths is not two whole numbers. Expected rows, columns.")
    check_size((sides[0], sides[1]), size)
    counts = segmentation.get("counts")
    numbers = decode_counts(counts) if isinstance(counts, str) else counts
    return Patch(0, 0, _unrolled(numbers, size))


def _unrolled(counts: object, size: Size) -> NDArray[np.bool_]:
    rows, columns = size
    most = rows * columns
    right = isinstance(counts, list) and all(isinstance(count, int) and 0 <= count <= most for count in counts)
    if not right or not isinstance(counts, Sequence) or sum(counts) != most:
        raise AnnotationError(
            f"the run lengths do not cover the image of {rows} x {columns} pixels. Expected numbers from 0 up whose sum is {most}."
        )
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(columns, rows).T


def decode_counts(text: str) -> list[int]:
    """The run lengths in a compressed text. Raises AnnotationError if it is none."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - 48
        if not 0 <= digit < 64 or shift > 35:
            raise AnnotationError("the compressed run lengths hold what is no number. Expected the text of COCO's RLE.")
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:  # the last digit of a number, which holds the sign
            value -= (digit & 16 > 0) << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise AnnotationError("the compressed run lengths are cut off. Expected the whole text of COCO's RLE.")
    return counts
