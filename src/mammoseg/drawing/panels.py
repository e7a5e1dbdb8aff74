"""The panels of a figure: a picture with its title and what is drawn on it, and how panels stand side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.drawing.sheet import Box, Line, Picture, Sheet, Text, fitted, font

HEIGHT = 640
"""Rows of a picture, unless it is wide."""
TITLE = 34
"""Rows above a picture."""
GAP = 12
_NARROWEST, _FOOTER = 280, 30


@dataclass
class Panel:
    """A picture in RGB; lines and words are placed on it in its own pixels, (x, y) from its upper left corner."""

    picture: Picture
    title: str
    lines: list[tuple[NDArray[np.float64], str, str, int]] = field(default_factory=list)
    words: list[Text] = field(default_factory=list)

    def line(self, points: ArrayLike, colour: str, style: str, width: int = 2) -> None:
        self.lines.append((np.asarray(points, dtype=np.float64), colour, style, width))

    def rectangle(self, box: ArrayLike, colour: str, style: str, width: int) -> None:
        """`box` is top, left, bottom, right."""
        top, left, bottom, right = np.asarray(box, dtype=np.float64)
        self.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], colour, style, width)

    def outline(self, mask: NDArray[np.bool_], colour: str, style: str) -> None:
        """Around a mask of any size that covers the picture."""
        size = (self.picture.shape[1], self.picture.shape[0])
        levels = mask.astype(np.uint16) * np.uint16(65535)  # a single pixel must not vanish
        small = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
        contours, _ = cv2.findContours((small > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            self.line(np.concatenate([contour, contour[:1]])[:, 0], colour, style)

    def label(self, words: str, x: float, y: float, size: int = 14) -> None:
        """Words on darkened ground, always whole in the picture."""
        wide, rows, cols = round(font(size).getlength(words)), *self.picture.shape[:2]
        left, base = round(max(2, min(x, cols - wide - 2))), round(max(size, min(y, rows - 4)))
        ground = self.picture[base - size : base + 4, left - 2 : left + wide + 2]
        ground[:] = ground // 4
        self.words.append(Text(left, base, words, size))

    def beside(self, picture: Picture, words: Sequence[tuple[int, int, str]]) -> None:
        """A picture of the same height at the right, with small words on it."""
        start = self.picture.shape[1]
        self.picture = np.hstack([self.picture, picture])
        self.words += [Text(start + x, y, text, 11) for x, y, text in words]

    @property
    def width(self) -> int:
        return max(self.picture.shape[1], _NARROWEST)


def arranged(panels: Sequence[Panel], stacked: Sequence[Panel], footer: str) -> Sheet:
    """Panels side by side, behind them those `stacked` two in a column, and a line of text below all."""
    columns = [[panel] for panel in panels] + [list(stacked[i : i + 2]) for i in range(0, len(stacked), 2)]
    width = sum(max(panel.width for panel in column) + GAP for column in columns)
    height = max(sum(TITLE + panel.picture.shape[0] for panel in column) for column in columns)
    sheet = Sheet(width, height + _FOOTER)
    x = 0
    for column in columns:
        y = 0
        for panel in column:
            _place(sheet, panel, x, y)
            y += TITLE + panel.picture.shape[0]
        x += max(panel.width for panel in column) + GAP
    words, size = fitted(footer, width - 4, 14)
    sheet.texts.append(Text(2, height + _FOOTER - 9, words, size))
    return sheet


def _place(sheet: Sheet, panel: Panel, x: int, y: int) -> None:
    rows, cols = panel.picture.shape[:2]
    title, size = fitted(panel.title, panel.width, 16)
    sheet.texts.append(Text(x + 2, y + TITLE - 11, title, size))
    top = y + TITLE
    sheet.pictures.append((x, top, panel.picture))
    clip = Box(x, top, x + cols, top + rows)
    corner = np.array([x, top])
    sheet.lines += [Line(corner + points, colour, style, width, clip) for points, colour, style, width in panel.lines]
    sheet.texts += [Text(x + t.x, top + t.y, t.words, t.size) for t in panel.words]
