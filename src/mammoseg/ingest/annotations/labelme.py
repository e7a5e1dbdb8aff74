"""LabelMe: a JSON file per image with polygons, rectangles, circles and masks.

Points are x, y in pixels of the image, (0, 0) its upper left corner. A rectangle is two opposite corners, a circle its middle and a
point on it, a mask a PNG picture (base64) between two corner pixels. Points and lines enclose nothing and are drawn into no mask.

Source: labelme, labelme/shape.py and labelme/_label_file.py (versions 3 to 5).
"""

import base64
import math
import struct
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mammoseg.bounded import read_json
from mammoseg.config import Config
from mammoseg.ingest.annotation import NAMED, Annotation, AnnotationError, Patch, Size, checked_count, damage
from mammoseg.ingest.regions import box_of, draw_ellipse, draw_outlines, points_of
from mammoseg.io.png import SIGNATURE, picture_of_png
from mammoseg.records.finding import Box

TITLE = "LabelMe, a JSON file per image"
IMAGES = NAMED
Draw = Callable[[Size], Patch]


class Options(Config):
    """Nothing to set."""


def reads(path: Path) -> bool:
    """By the suffix."""
    return path.suffix.lower() == ".json"


def read(path: Path, options: Options) -> list[Annotation]:
    """The shapes of a file. Raises AnnotationError if it is no file of LabelMe."""
    with damage("the JSON file"):
        content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise AnnotationError(
            "it has no list of shapes. Expected a file that LabelMe wrote. Choose the format it is of."
        )
    checked_count(len(content["shapes"]))
    names = tuple(name for name in (str(content.get("imagePath") or ""), path.stem) if name)
    sides = content.get("imageHeight"), content.get("imageWidth")
    size = None if None in sides else (_whole(sides[0]), _whole(sides[1]))
    return [_annotation(number, shape, names, size) for number, shape in enumerate(content["shapes"], start=1)]


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise AnnotationError("imageHeight or imageWidth is no whole number. Expected the size of the image.")
    return value


def _annotation(number: int, shape: Any, names: tuple[str, ...], size: Size | None) -> Annotation:
    item = f"shape {number}"
    if not isinstance(shape, dict):
        raise AnnotationError(f"{item} is no object. Expected label, shape_type and points.")
    draw, box = _region(shape, item)
    flags = shape.get("flags")
    said = {str(name): "yes" for name, is_set in flags.items() if is_set is True} if isinstance(flags, dict) else {}
    said |= {"group": str(shape["group_id"])} if shape.get("group_id") is not None else {}
    said |= {"description": str(shape["description"])} if shape.get("description") else {}
    return Annotation(item, names, str(shape.get("label", "")), draw, box=box, size=size, said=said)


def _region(shape: Mapping[str, Any], item: str) -> tuple[Draw | None, Callable[[Size], Box] | None]:
    """How to draw a shape, and its box if it is one. What is wrong with it is told when it is drawn, not of the whole file."""
    kind = shape.get("shape_type") or "polygon"
    if kind in ("point", "points", "line", "linestrip"):
        return None, None
    try:
        points = points_of(shape.get("points") or [], item)
        if kind == "rectangle" and len(points) >= 2:
            return None, partial(box_of, points)
        if kind == "circle" and len(points) == 2:
            radius = math.dist(*points.tolist())
            return (lambda size: draw_ellipse(points[0].tolist(), (radius, radius), size)), None
        if kind == "mask" and len(points) == 2:
            return (lambda size: _mask(shape.get("mask"), points.tolist(), size)), None
        if kind == "polygon" and len(points) >= 3:
            return (lambda size: draw_outlines([points], size)), None
        raise AnnotationError(
            f"{item}: a {str(kind)[:30]} of {len(points)} points cannot be drawn. Expected a polygon, rectangle, circle or mask."
        )
    except AnnotationError as error:
        return _raising(error), None


def _raising(error: AnnotationError) -> Draw:
    def draw(size: Size) -> Patch:
        raise error

    return draw


def _mask(text: object, corners: list[list[float]], size: Size) -> Patch:
    """The picture lies between two corner pixels, both included."""
    (left, top), (right, bottom) = ([int(value) for value in corner] for corner in corners)
    height, width = bottom - top + 1, right - left + 1
    if not (0 <= top <= bottom < size[0] and 0 <= left <= right < size[1]):
        raise AnnotationError("a mask lies beyond the image. Expected its corners in the image.")
    with damage("a mask"):
        data = base64.b64decode(str(text).encode("ascii"))
        if not data.startswith(SIGNATURE) or struct.unpack(">II", data[16:24]) != (width, height):
            raise AnnotationError(f"a mask is no PNG picture of {height} rows x {width} columns, as its corners say.")
        picture = picture_of_png(data)
        pixels = None if picture is None else cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise AnnotationError("the picture of a mask is damaged. Expected a whole PNG picture.")
    return Patch(top, left, pixels != 0)
