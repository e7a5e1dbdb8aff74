"""One figure per image: the mammogram with the truth if there is any, the patches, the maps, and each patch enlarged.

Drawn with OpenCV and Pillow straight on pixels, in the orientation of the file: a figure costs milliseconds.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mammoseg.data.manifest import ImageRow
from mammoseg.data.masks import image_masks
from mammoseg.io.atomic import atomic_path
from mammoseg.io.runs import overlay_path
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Prediction

Picture = NDArray[np.uint8]
"""(rows, columns, 3), RGB."""

HEIGHT = 640
"""Height of a panel in pixels."""
_GAP, _TITLE, _BAR = 12, 34, 14
_ZOOM = (HEIGHT + _TITLE) // 2 - _TITLE  # side of an enlarged patch: two of them fill a column
_COLOURS = {"benign": (60, 220, 90), "malignant": (255, 70, 50)}
_PATCH_COLOUR = (90, 170, 255)


def overlay_writer(folder: Path) -> Callable[[Prediction, Mammogram, ImageRow], None]:
    """A function that writes the figure of one prediction into a predictions folder, with the truth from its row."""

    def write(prediction: Prediction, image: Mammogram, row: ImageRow) -> None:
        masks = image_masks(row.masks, prediction.grid, row.mask_frame)
        picture = overlay_picture(image.pixels, prediction, masks)
        with atomic_path(overlay_path(folder, prediction.image_id)) as temporary:
            Image.fromarray(picture).save(temporary, compress_level=1)

    return write


def overlay_picture(
    pixels: NDArray[np.generic], prediction: Prediction, masks: Mapping[str, NDArray[np.bool_]]
) -> Picture:
    """(H, W) stored values, a prediction of that image and the true lesions -> the figure."""
    scale = HEIGHT / pixels.shape[0]
    size = (max(1, round(pixels.shape[1] * scale)), HEIGHT)
    low, high = _display_range(pixels)
    gray = _to_rgb(cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA), low, high)
    truth = gray.copy()
    for name, mask in masks.items():
        _outline(truth, mask, _COLOURS[name])
    corners = [_original_box(prediction, i) for i in range(len(prediction.patches))]
    squares = truth.copy()
    for number, (top, left, bottom, right) in enumerate(corners, start=1):
        start, end = (round(left * scale), round(top * scale)), (round(right * scale), round(bottom * scale))
        cv2.rectangle(squares, start, end, _PATCH_COLOUR, 2)
        _write_number(squares, str(number), start)
    of = f" of {prediction.patches_of}" if prediction.patches_of else ""
    shown = " + truth" if masks else ""
    panels = [_panel(truth, f"{prediction.image_id}{shown}"), _panel(squares, f"patches{of}")]
    restored = prediction.grid.restore(np.clip(prediction.maps["saliency"], 0, 1).astype(np.float32))
    for name, saliency in zip(prediction.scores, restored, strict=True):
        tinted = _tint(gray, cv2.resize(saliency, size, interpolation=cv2.INTER_AREA), _COLOURS[name])
        tinted = np.hstack([tinted, _colour_bar(_COLOURS[name])])
        panels.append(_panel(tinted, f"{name} {prediction.scores[name]:.2f}"))
    enlarged = []
    for number, (patch, box) in enumerate(zip(prediction.patches, corners, strict=True), start=1):
        zoom = cv2.resize(_cut(pixels, box).astype(np.float32), (_ZOOM, _ZOOM), interpolation=cv2.INTER_CUBIC)
        picture = _to_rgb(zoom, low, high)
        for name, mask in masks.items():
            _outline(picture, _cut(mask, box), _COLOURS[name])
        cv2.rectangle(picture, (0, 0), (_ZOOM - 1, _ZOOM - 1), _PATCH_COLOUR, 1)
        text = "  ".join(f"{name[0].upper()} {p:.2f}" for name, p in patch.scores.items())
        if patch.attention is not None:
            text += f"  weight {patch.attention:.2f}"
        top, left, bottom, right = box
        if bottom <= 0 or right <= 0 or top >= pixels.shape[0] or left >= pixels.shape[1]:
            text += "  (beside the image)"  # the window is padded, and the model may choose the padding
        enlarged.append(_panel(picture, f"{number}: {text}", _ZOOM))
    if len(enlarged) % 2:
        enlarged.append(np.zeros_like(enlarged[0]))
    panels += [np.vstack(pair) for pair in zip(enlarged[::2], enlarged[1::2], strict=True)]
    return np.hstack(panels)


def _write_number(picture: Picture, number: str, corner: tuple[int, int]) -> None:
    """Inside a corner (x, y) of a square, and always whole in the picture: the enlarged patches are called by it."""
    (width, height), _ = cv2.getTextSize(number, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 2)
    x = max(2, min(corner[0] + 5, picture.shape[1] - width - 2))
    y = max(height + 3, min(corner[1] + 20, picture.shape[0] - 4))
    cv2.putText(picture, number, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _PATCH_COLOUR, 2)


def _display_range(pixels: NDArray[Any]) -> tuple[float, float]:
    """Between the darkest and brightest percentile of the tissue, on a sample of the pixels."""
    sample = pixels[:: max(1, pixels.shape[0] // 400), :: max(1, pixels.shape[1] // 400)]
    tissue = sample[sample > 0]
    if tissue.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(tissue, [1, 99.8])
    return float(low), float(max(high, low + 1))


def _to_rgb(values: NDArray[Any], low: float, high: float) -> Picture:
    gray = np.clip((values - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB).astype(np.uint8)


def _outline(picture: Picture, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    size = (picture.shape[1], picture.shape[0])
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)  # a single pixel must not vanish
    contours, _ = cv2.findContours((small > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, 2)


def _cut(pixels: NDArray[Any], box: tuple[float, float, float, float]) -> NDArray[Any]:
    """The box of an array; what lies outside is 0."""
    top, left, bottom, right = map(round, box)
    cut = np.zeros((max(1, bottom - top), max(1, right - left)), pixels.dtype)
    inside = pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    y, x = max(0, -top), max(0, -left)
    cut[y : y + inside.shape[0], x : x + inside.shape[1]] = inside[: cut.shape[0], : cut.shape[1]]
    return cut


def _original_box(prediction: Prediction, index: int) -> tuple[float, float, float, float]:
    """Top, left, bottom, right of a patch in original pixels."""
    patch = prediction.patches[index]
    ends = np.array([[patch.row, patch.col], [patch.row + patch.size, patch.col + patch.size]], dtype=np.float64)
    (row_a, col_a), (row_b, col_b) = prediction.grid.to_original(ends)
    return min(row_a, row_b), min(col_a, col_b), max(row_a, row_b), max(col_a, col_b)


def _tint(gray: Picture, saliency: NDArray[np.float32], colour: tuple[int, int, int]) -> Picture:
    alpha = (0.85 * saliency)[..., None]
    return (gray * (1 - alpha) + np.array(colour, dtype=np.float32) * alpha).astype(np.uint8)


def _colour_bar(colour: tuple[int, int, int]) -> Picture:
    """Saliency 0 (below) to 1 (above), as it looks on black, with a tick at each quarter."""
    ramp = np.linspace(0.85, 0, HEIGHT, dtype=np.float32)[:, None, None] * np.array(colour, dtype=np.float32)
    bar = np.zeros((HEIGHT, _BAR + 36, 3), np.uint8)
    bar[:, 4 : 4 + _BAR] = ramp.astype(np.uint8)
    canvas = Image.fromarray(bar)
    draw = ImageDraw.Draw(canvas)
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = round((1 - value) * (HEIGHT - 1))
        draw.line([(4, y), (4 + _BAR + 3, y)], fill=(255, 255, 255))
        draw.text((4 + _BAR + 5, min(max(y - 6, 0), HEIGHT - 13)), f"{value:.2g}", fill=(255, 255, 255), font=_font(11))
    return np.asarray(canvas)


def _panel(picture: Picture, title: str, height: int = HEIGHT) -> Picture:
    """A picture with its title above, on black, brought to a height."""
    width = max(picture.shape[1], 150) + _GAP
    canvas = np.zeros((height + _TITLE, width, 3), np.uint8)
    canvas[_TITLE : _TITLE + picture.shape[0], : picture.shape[1]] = picture
    labelled = Image.fromarray(canvas)
    ImageDraw.Draw(labelled).text((2, 8), title, fill=(255, 255, 255), font=_font(17))
    return np.asarray(labelled)


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
