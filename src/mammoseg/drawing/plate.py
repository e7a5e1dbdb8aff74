"""A figure for a paper: a row for each image, with its truth, the patches that were looked at, the maps of one model or several,
and the patches enlarged.

Source   The layout of Liu et al. 2021 (GLAM), Figure 1, and Shen et al. 2021 (GMIC), Figure 7.
Units    millimetres on paper, from the upper left corner; letters of 7 points, which stay text in PDF (fonts embedded) and SVG.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mammoseg.drawing.overlay import cut, display_range, to_rgb
from mammoseg.drawing.sheet import Picture
from mammoseg.drawing.tint import breast_in, tinted
from mammoseg.prep.config import PrepConfig
from mammoseg.records.colours import looks
from mammoseg.records.outline import outlines
from mammoseg.records.prediction import Prediction

POINTS = 7
_INCH, _DPI = 25.4, 300
_GAP, _HEAD, _LEFT = 1.0, 7.5, 4.0
"""Between panels, above them, and beside them."""
_MARGIN = 0.02
"""Around the breast, as a share of the image's height."""
_ROWS = 800
"""About so many of an image are enough to find the breast."""
_DASHES: Mapping[str, Any] = {"solid": "solid", "dashed": (0, (4, 2)), "dotted": (0, (1, 1))}


@dataclass(frozen=True)
class Shown:
    """An image, and what models say about it."""

    label: str
    """Beside the row."""
    pixels: NDArray[np.generic]
    """(H, W) stored values."""
    predictions: Mapping[str, Prediction]
    """Name of the model -> its prediction."""
    masks: Mapping[str, NDArray[np.bool_]]
    """Class -> true lesions (H, W)."""
    prep: PrepConfig

    @property
    def looked_at(self) -> Prediction:
        """The prediction whose patches are shown: of the first model that has some."""
        found = list(self.predictions.values())
        return next((prediction for prediction in found if prediction.patches), found[0])


class _View:
    """An image cut to its breast, in the pixels of the figure."""

    def __init__(self, row: Shown, width_mm: float) -> None:
        rows, cols = row.pixels.shape
        self.row, self.shown = row, display_range(row.pixels)
        grid, patches = row.looked_at.grid, row.looked_at.patches
        self.boxes = [grid.box_in_original(p.row, p.col, p.row + p.size, p.col + p.size) for p in patches]
        step = max(1, rows // _ROWS)
        size = (max(1, cols // step), max(1, rows // step))
        pixels = row.pixels.astype(np.float32)
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
        breast = breast_in(small, row.looked_at.grid, row.prep)
        found = np.argwhere(breast)
        low, high = (found.min(0), found.max(0) + 1) if len(found) else (np.zeros(2), np.array(small.shape))
        margin, scale = _MARGIN * rows, np.divide((rows, cols), small.shape)
        self.top, self.left = np.maximum(low * scale - margin, 0).round().astype(int).tolist()
        self.bottom, self.right = np.minimum(high * scale + margin, (rows, cols)).round().astype(int).tolist()
        self.height_mm = width_mm * (self.bottom - self.top) / (self.right - self.left)
        self.size = (max(1, round(width_mm / _INCH * _DPI)), max(1, round(self.height_mm / _INCH * _DPI)))
        self.gray: Picture = to_rgb(self._small(pixels), *self.shown)
        whole = cv2.resize(breast.astype(np.float32), (cols, rows), interpolation=cv2.INTER_NEAREST)
        self.breast = self._small(whole) >= 0.5

    def _small(self, values: NDArray[Any]) -> NDArray[Any]:
        return cv2.resize(
            values[self.top : self.bottom, self.left : self.right], self.size, interpolation=cv2.INTER_AREA
        )

    def picture(self, axes: Axes, picture: Picture) -> None:
        axes.imshow(picture, extent=(self.left, self.right, self.bottom, self.top), interpolation="none")
        axes.set(xlim=(self.left, self.right), ylim=(self.bottom, self.top))

    def truth(self, axes: Axes) -> None:
        self.picture(axes, self.gray)
        for name, look in looks(dict.fromkeys([*self.row.looked_at.scores, *self.row.masks])).items():
            for corners_N2 in outlines(self.row.masks[name]) if name in self.row.masks else ():
                _line(axes, np.concatenate([corners_N2, corners_N2[:1]])[:, ::-1], look.on_dark, look.line)

    def patches(self, axes: Axes) -> None:
        self.picture(axes, self.gray)
        for number, (top, left, bottom, right) in enumerate(self.boxes, start=1):
            axes.add_patch(
                Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="white", linewidth=0.6)
            )
            _words(axes, (left, top), str(number), "top")

    def saliency(self, axes: Axes, prediction: Prediction, name: str) -> None:
        place = list(prediction.scores).index(name)
        restored = prediction.grid.restore(np.clip(prediction.maps["saliency"][place], 0, 1).astype(np.float32))
        colour = looks(prediction.scores)[name].on_dark
        self.picture(axes, tinted(self.gray, np.where(self.breast, self._small(restored), 0), colour))
        _words(axes, (self.left, self.bottom), f"{prediction.scores[name]:.2f}", "bottom")

    def enlarged(self, page: "_Page", left_mm: float, top_mm: float, width_mm: float) -> None:
        """All of them, in one column, or in two if there are more than three."""
        columns = 1 if len(self.boxes) <= 3 else 2
        rows = max(1, -(-len(self.boxes) // columns))
        side = min((width_mm - _GAP * (columns - 1)) / columns, (self.height_mm - _GAP * (rows - 1)) / rows)
        for number, (patch, box) in enumerate(zip(self.row.looked_at.patches, self.boxes, strict=True)):
            row, column = divmod(number, columns)
            axes = page.axes(left_mm + column * (side + _GAP), top_mm + row * (side + _GAP), side, side)
            pixels = max(1, round(side / _INCH * _DPI))
            part = cut(self.row.pixels, box).astype(np.float32)
            axes.imshow(to_rgb(cv2.resize(part, (pixels, pixels), interpolation=cv2.INTER_CUBIC), *self.shown))
            weight = "" if patch.attention is None else f": {patch.attention:.2f}"
            _words(axes, (0, pixels), f"{number + 1}{weight}", "bottom")


class _Page:
    def __init__(self, width_mm: float, height_mm: float) -> None:
        self.width_mm, self.height_mm = width_mm, height_mm
        self.figure = Figure(figsize=(width_mm / _INCH, height_mm / _INCH), dpi=_DPI, facecolor="white")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        across, down = self.width_mm, self.height_mm
        axes: Axes = self.figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))
        axes.set_axis_off()
        return axes

    def text(self, left: float, top: float, words: str, **style: Any) -> None:
        self.figure.text(
            left / self.width_mm, 1 - top / self.height_mm, words, fontsize=POINTS, parse_math=False, **style
        )


def plate(rows: Sequence[Shown], width_mm: float) -> Figure:
    """A column for each model and class; images are cut to the breast.

    Raises ValueError if rows have different models, or if a column would be less than 8 mm wide.
    """
    models = list(rows[0].predictions)
    if any(list(row.predictions) != models for row in rows):
        raise ValueError(
            "The rows of a figure show different models. Expected the same ones in each. Predict all images by all."
        )
    maps = [(model, name) for model in models for name in rows[0].predictions[model].scores]
    with_patches = any(row.looked_at.patches for row in rows)
    titles = ["image", *(["patches"] if with_patches else []), *(f"{model}\n{name}" for model, name in maps)]
    titles += ["patches,\nenlarged"] if with_patches else []
    side = (width_mm - _LEFT - _GAP * len(titles)) / len(titles)
    if side < 8:
        raise ValueError(
            f"{len(titles)} columns in {width_mm:g} mm are too narrow. Expected 8 mm for each. Give more --width-mm."
        )
    views = [_View(row, side) for row in rows]
    page = _Page(width_mm, _HEAD + sum(view.height_mm + _GAP for view in views))
    lefts = [_LEFT + place * (side + _GAP) for place in range(len(titles))]
    for left, title in zip(lefts, titles, strict=True):
        page.text(left + side / 2, _HEAD - 1, title, ha="center", va="bottom")
    top = _HEAD
    for view in views:
        free = iter(lefts)
        page.text(0.5, top + view.height_mm / 2, view.row.label, rotation=90, va="center")
        view.truth(page.axes(next(free), top, side, view.height_mm))
        if with_patches:
            view.patches(page.axes(next(free), top, side, view.height_mm))
        for model, name in maps:
            axes = page.axes(next(free), top, side, view.height_mm)
            view.saliency(axes, view.row.predictions[model], name)
        if with_patches:
            view.enlarged(page, next(free), top, side)
        top += view.height_mm + _GAP
    return page.figure


def _line(axes: Axes, points: NDArray[np.int32], colour: str, style: str) -> None:
    for drawn, width in (("black", 1.4), (colour, 0.8)):
        axes.plot(*points.T, color=drawn, linewidth=width, linestyle=_DASHES[style])


def _words(axes: Axes, place: tuple[float, float], words: str, at: str) -> None:
    ground = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 0.8}
    axes.text(*place, words, color="white", fontsize=POINTS - 1, va=at, bbox=ground, clip_on=True, parse_math=False)
