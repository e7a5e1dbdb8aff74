"""A figure as a list of what stands where, written as PNG by OpenCV and Pillow in milliseconds, or as PDF or SVG by matplotlib
with text as text, lines as lines and pictures embedded.

Units    pixels of the figure, (x, y) from its upper left corner
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mammoseg.io.atomic import atomic_path
from mammoseg.io.figures import FigureKind
from mammoseg.records.colours import rgb

Picture = NDArray[np.uint8]
"""(rows, columns, 3), RGB."""
DASHES = {"solid": (), "dashed": (9, 6), "dotted": (2, 5)}
"""Line style -> pixels drawn and pixels left out."""
HALO = 2
"""Pixels of black around a line, together: it is seen on white tissue, too."""


@dataclass(frozen=True)
class Box:
    """A rectangle of a figure; ends are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Line:
    """A line through points (N, 2), each (x, y)."""

    points: NDArray[np.float64]
    colour: str
    style: str
    """One of `DASHES`."""
    width: int
    clip: Box
    """What lies outside is not drawn."""


@dataclass(frozen=True)
class Text:
    """Words that begin at (x, y), on this base line."""

    x: float
    y: float
    words: str
    size: int


@dataclass
class Sheet:
    """A black figure: pictures, above them lines, above them texts in white."""

    width: int
    height: int
    pictures: list[tuple[int, int, Picture]] = field(default_factory=list)
    """(x, y) of the upper left corner, and pixels."""
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def draw(self) -> Picture:
        """The whole figure in pixels."""
        canvas = np.zeros((self.height, self.width, 3), np.uint8)
        for x, y, pixels in self.pictures:
            canvas[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        for line in self.lines:
            _draw_line(canvas, line)
        image = Image.fromarray(canvas)
        draw = ImageDraw.Draw(image)
        for text in self.texts:
            draw.text((text.x, text.y), text.words, fill=(255, 255, 255), font=font(text.size), anchor="ls")
        return np.asarray(image)

    def save(self, path: Path, kind: FigureKind) -> None:
        """Write the figure, whole or not at all; the same figure gives the same file."""
        with atomic_path(path) as temporary:
            if kind == "png":
                Image.fromarray(self.draw()).save(temporary, format="png", compress_level=1)
            else:
                from mammoseg.drawing.vector import save_vector  # matplotlib's figures take a second to load

                save_vector(self, temporary, kind)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """That of matplotlib, so that all kinds of files look the same."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def fitted(words: str, width: int, size: int, smallest: int = 9) -> tuple[str, int]:
    """Words and a size with which they fit a width in pixels: smaller letters first, then fewer."""
    while size > smallest and font(size).getlength(words) > width:
        size -= 1
    if font(size).getlength(words) <= width:
        return words, size
    kept = next(n for n in range(len(words), -1, -1) if n == 0 or font(size).getlength(words[:n] + "...") <= width)
    return words[:kept] + "...", size


def _draw_line(canvas: Picture, line: Line) -> None:
    clip = line.clip
    inside = canvas[clip.top : clip.bottom, clip.left : clip.right]
    points = line.points - (clip.left, clip.top)
    parts = [np.rint(part).astype(np.int32) for part in _dashes(points, DASHES[line.style], line.width)]
    for colour, width in (((0, 0, 0), line.width + HALO), (rgb(line.colour), line.width)):
        cv2.polylines(inside, parts, isClosed=False, color=colour, thickness=width)


def _dashes(points: NDArray[Any], pattern: tuple[int, ...], width: int) -> Iterator[NDArray[Any]]:
    """The parts of a line that are drawn; each gets longer by the width when it is."""
    if not pattern:
        yield points
        return
    on, off = pattern[0] - width, pattern[1] + width
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    for start in np.arange(0, along[-1], on + off):
        end = min(start + on, along[-1])
        within = points[(along > start) & (along < end)]
        ends = [[np.interp(at, along, points[:, axis]) for axis in (0, 1)] for at in (start, end)]
        yield np.concatenate([ends[:1], within, ends[1:]])
