"""A small picture of one image for a list of many: the breast, the true lesion, and where the map is high."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.drawing.overlay import WHITE, display_range, to_rgb
from mammoseg.drawing.panels import Panel
from mammoseg.drawing.sheet import Box, Line, Picture, Sheet
from mammoseg.drawing.tint import breast_in
from mammoseg.prep.config import PrepConfig
from mammoseg.records.colours import looks
from mammoseg.records.prediction import Prediction

ROWS = 420
"""Rows of a picture, before it is cut to the breast."""
MAP_LINE = "dotted"
"""Of the outline of the map, which is white."""
_MARGIN = 6


def case_picture(
    pixels: NDArray[np.generic],
    prediction: Prediction,
    label: str,
    mask_HW: NDArray[np.bool_] | None,
    prep: PrepConfig,
    classes: Collection[str],
) -> Picture:
    """(H, W) stored values -> a picture cut to the breast, in the orientation of the file.

    In the colour and line style of the class `label` among `classes` the border of `mask_HW`, if there is one; white and dotted
    the region where the final map of the class has at least half of its highest value.
    """
    scale = ROWS / pixels.shape[0]
    size = (max(1, round(pixels.shape[1] * scale)), ROWS)
    fine: NDArray[Any] = pixels if pixels.dtype == np.uint16 else pixels.astype(np.float32)
    small = cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    panel = Panel(to_rgb(small, *display_range(pixels)), "")
    if label in prediction.scores:
        panel.outline(_high(prediction, label, (ROWS, size[0])), WHITE, MAP_LINE)
    if mask_HW is not None:
        look = looks(classes)[label]
        panel.outline(mask_HW, look.on_dark, look.line)
    return _cut(panel, breast_in(small, prediction.grid, prep))


def _high(prediction: Prediction, label: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Where the map is high, in the pixels of the picture."""
    saliency = prediction.maps["saliency"][list(prediction.scores).index(label)].astype(np.float32)
    in_picture = replace(prediction.grid, original_shape=shape)  # as if the file had the pixels of the picture
    restored = in_picture.restore(saliency)
    return (restored >= restored.max() / 2) & (restored > 0)


def _cut(panel: Panel, breast: NDArray[np.bool_]) -> Picture:
    found = np.argwhere(breast)
    rows, cols = breast.shape
    low, high = (found.min(0), found.max(0) + 1) if len(found) else (np.zeros(2, int), np.array(breast.shape))
    top, left = np.maximum(low - _MARGIN, 0).tolist()
    bottom, right = np.minimum(high + _MARGIN, (rows, cols)).tolist()
    sheet = Sheet(cols, rows, [(0, 0, panel.picture)])
    clip = Box(0, 0, cols, rows)
    sheet.lines = [Line(points, colour, style, width, clip) for points, colour, style, width in panel.lines]
    return sheet.draw()[top:bottom, left:right]
