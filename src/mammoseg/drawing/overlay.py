"""One figure per image: the mammogram with the truth if there is any, patches and window, the maps, and each patch enlarged.

All in the orientation of the file. Colours and line styles are those of records/colours.py; patches are white and solid,
the border of the window is white and dotted.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.drawing.panels import HEIGHT, TITLE, Panel, arranged
from mammoseg.drawing.sheet import Picture, Sheet
from mammoseg.drawing.tint import SHOWN_FROM, breast_in, colour_bar, tinted
from mammoseg.prep.config import PrepConfig
from mammoseg.records.colours import Look, legend, looks
from mammoseg.records.finding import Box
from mammoseg.records.prediction import Prediction

WIDEST = 900
"""Columns that an image may take, which is HEIGHT rows high else."""
_BAR_MM = (100, 50, 20, 10, 5, 2, 1)  # lengths a scale bar may have; the first that fits into a third of the image
_MOSTLY = 0.5  # share of the salient area beside the breast from which the figure says so
WHITE = "#FFFFFF"
"""Window and patches are no findings: white, and told apart by the style of the line."""

Masks = Mapping[str, NDArray[np.bool_]]
_Truth = list[tuple[NDArray[np.bool_], str, str]]
"""Masks with the colour and the style of their outlines."""


def overlay_sheet(
    pixels: NDArray[np.generic], prediction: Prediction, masks: Masks, prep: PrepConfig, unread: Collection[str] = ()
) -> Sheet:
    """(H, W) stored values, a prediction of that image and the true lesions -> the figure.

    `unread`: classes whose truth is not shown since it cannot be read; the title says so.
    """
    classes = dict.fromkeys([*prediction.scores, *masks])
    look = looks(classes)
    truth = [(mask, look[name].on_dark, look[name].line) for name, mask in masks.items()]
    title = f"{prediction.image_id}{' + truth' if truth else ''}"
    if unread:
        title += f" ({', '.join(unread)} cannot be read)"
    scale = min(HEIGHT / pixels.shape[0], WIDEST / pixels.shape[1])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    fine: NDArray[Any] = pixels if pixels.dtype == np.uint16 else pixels.astype(np.float32)
    small = cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    low, high = display_range(pixels)
    gray = _to_rgb(small, low, high)
    boxes = [prediction.grid.box_in_original(p.row, p.col, p.row + p.size, p.col + p.size) for p in prediction.patches]
    panels = [
        _image_panel(gray, scale, prediction, title, truth),
        _looked_at_panel(gray, scale, prediction, boxes),
        *_map_panels(gray, breast_in(small, prediction.grid, prep), prediction, look),
    ]
    side = (HEIGHT + TITLE) // 2 - TITLE  # two of them fill a column
    patches = [
        _patch_panel(pixels, number, box, prediction, truth, (low, high), side) for number, box in enumerate(boxes, 1)
    ]
    footer = f"{legend(classes)}. Saliency is coloured inside the breast, from {SHOWN_FROM:g} up."
    return arranged(panels, patches, footer)


def _image_panel(gray: Picture, scale: float, prediction: Prediction, title: str, truth: _Truth) -> Panel:
    panel = Panel(gray.copy(), title)
    for mask, colour, line in truth:
        panel.outline(mask, colour, line)
    pixel_mm = prediction.facts.pixel_mm if prediction.facts else None
    if pixel_mm is None:
        panel.label("pixel size unknown", 6, gray.shape[0] - 8)
        return panel
    px_per_mm = scale / pixel_mm
    length = next((mm for mm in _BAR_MM if mm * px_per_mm <= gray.shape[1] / 3), _BAR_MM[-1])
    y = gray.shape[0] - 10
    panel.label(f"{length} mm", 8, y - 8)
    panel.line([(8, y), (8 + length * px_per_mm, y)], WHITE, "solid", width=3)
    return panel


def _looked_at_panel(gray: Picture, scale: float, prediction: Prediction, boxes: list[Box]) -> Panel:
    """Where the model looked: its window, and the patches in it."""
    of = f" of {prediction.patches_of}" if prediction.patches_of else ""
    share = f": {prediction.facts.in_window:.0%} of the breast" if prediction.facts else ""
    panel = Panel(gray.copy(), f"{f'patches{of}, ' if boxes else ''}window (dotted){share}")
    window = prediction.grid.box_in_original(0, 0, *prediction.grid.model_shape)
    panel.rectangle(np.multiply(window, scale), WHITE, "dotted", width=2)
    for number, box in enumerate(boxes, start=1):
        top, left, bottom, right = np.multiply(box, scale)
        panel.rectangle((top, left, bottom, right), WHITE, "solid", width=2)
        below = top + 20 < gray.shape[0] - 4
        panel.label(str(number), left + 5, top + 20 if below else top - 6, size=17)
    return panel


def _map_panels(
    gray: Picture, breast: NDArray[np.bool_], prediction: Prediction, look: Mapping[str, Look]
) -> Iterator[Panel]:
    in_figure = replace(prediction.grid, original_shape=breast.shape)  # as if the file had the pixels of the figure
    restored = in_figure.restore(np.clip(prediction.maps["saliency"], 0, 1).astype(np.float32))
    for name, saliency in zip(prediction.scores, restored, strict=True):
        title = f"{name} {prediction.scores[name]:.2f}{_not_shown(saliency >= SHOWN_FROM, breast)}"
        panel = Panel(tinted(gray, np.where(breast, saliency, 0), look[name].on_dark), title)
        panel.beside(*colour_bar(gray.shape[0], look[name].on_dark))
        yield panel


def _not_shown(salient: NDArray[np.bool_], breast: NDArray[np.bool_]) -> str:
    """What the colours of a map cannot tell."""
    if not salient.any():
        return f" (no saliency from {SHOWN_FROM:g} up)"
    beside = np.count_nonzero(salient & ~breast) / np.count_nonzero(salient)
    return f" ({beside:.0%} of the salient area beside the breast)" if beside >= _MOSTLY else ""


def _patch_panel(
    pixels: NDArray[np.generic],
    number: int,
    box: Box,
    prediction: Prediction,
    truth: _Truth,
    shown: tuple[float, float],
    side: int,
) -> Panel:
    """An enlarged patch; `shown` are the values of black and white."""
    zoom = cv2.resize(_cut(pixels, box).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    patch = prediction.patches[number - 1]
    text = "  ".join(f"{name[0].upper()} {p:.2f}" for name, p in patch.scores.items())
    if patch.attention is not None:
        text += f"  weight {patch.attention:.2f}"
    top, left, bottom, right = box
    if bottom <= 0 or right <= 0 or top >= pixels.shape[0] or left >= pixels.shape[1]:
        text += "  (beside the image)"  # the window is padded, and the model may choose the padding
    panel = Panel(_to_rgb(zoom, *shown), f"{number}: {text}")
    for mask, colour, line in truth:
        panel.outline(_cut(mask, box), colour, line)
    panel.rectangle((0, 0, side - 1, side - 1), WHITE, "solid", width=1)
    return panel


def display_range(pixels: NDArray[Any]) -> tuple[float, float]:
    """Between the darkest and brightest percentile of the tissue, on a sample of the pixels."""
    sample = pixels[:: max(1, pixels.shape[0] // 400), :: max(1, pixels.shape[1] // 400)]
    tissue = sample[sample > 0]
    if tissue.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(tissue, [1, 99.8])
    return float(low), float(max(high, low + 1))


def _to_rgb(values: NDArray[Any], low: float, high: float) -> Picture:
    gray = np.rint(np.clip((values - low) * (255 / (high - low)), 0, 255)).astype(np.uint8)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB).astype(np.uint8)


def _cut(pixels: NDArray[Any], box: Box) -> NDArray[Any]:
    """The box of an array; what lies outside is 0."""
    top, left, bottom, right = map(round, box)
    cut = np.zeros((max(1, bottom - top), max(1, right - left)), pixels.dtype)
    inside = pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    y, x = max(0, -top), max(0, -left)
    cut[y : y + inside.shape[0], x : x + inside.shape[1]] = inside[: cut.shape[0], : cut.shape[1]]
    return cut
