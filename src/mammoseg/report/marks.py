"""What is drawn on an image of a page, as plain values: maps, findings, patches, the window, the truth. Places are (row, column) on
the pixels of the file."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.data.masks import Masks
from mammoseg.io.atomic import plain
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.outline import outlines
from mammoseg.records.prediction import Prediction

_LONGEST = 736
"""Cells of the longer side of a map: that of the published networks; finer ones are shown by their means."""
_MOST_CORNERS = 400  # of the outline of a lesion


def maps_of(prediction: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    """The final maps of these classes, 0 of those that the model has not and in cells beside the image: 8 bits of the largest value
    of each class, deflated, as base64.

    `data` (K, rows, columns) with `shape`; value = data / 255 * `scale`[class]; `to_cell` (a, b, c, d): the image's (row, column)
    lies in cell (a row + b, c column + d).
    """
    grid, of_model = prediction.grid, dict(zip(prediction.scores, prediction.maps["saliency"], strict=True))
    none = np.zeros(prediction.maps["saliency"].shape[1:], np.float32)
    maps = np.stack([of_model.get(name, none) for name in classes]).astype(np.float32)
    maps = np.where(grid.inside((maps.shape[1], maps.shape[2])), np.clip(maps, 0, 1), 0)
    share = _LONGEST / max(maps.shape[1:])
    if share < 1:
        size = (max(1, round(maps.shape[2] * share)), max(1, round(maps.shape[1] * share)))
        maps = np.stack([cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in maps])
    scale = np.maximum(maps.max(axis=(1, 2)), 1e-6)
    cells = np.rint(maps / scale[:, None, None] * 255).astype(np.uint8)
    data = base64.b64encode(zlib.compress(cells.tobytes(), 6)).decode()
    return {
        "shape": list(cells.shape),
        "scale": scale.tolist(),
        "to_cell": _to_cell(grid, cells.shape[1:]),
        "data": data,
    }


def findings_of(prediction: Prediction) -> list[dict[str, Any]]:
    """In the order of the record: label, score, peak, box, polygon."""
    return [_finding(finding) for finding in prediction.findings]


def patches_of(prediction: Prediction) -> list[dict[str, Any]]:
    """In the order of the model: box (top, left, bottom, right), scores, attention (None: not known)."""
    grid = prediction.grid
    return [
        {
            "box": _rounded(grid.box_in_original(p.row, p.col, p.row + p.size, p.col + p.size)),
            "scores": dict(p.scores),
            "attention": p.attention,
        }
        for p in prediction.patches
    ]


def window_of(grid: PixelGrid) -> list[float]:
    """Top, left, bottom, right of the model window; it may leave the image."""
    return _rounded(grid.box_in_original(0, 0, *grid.model_shape))


def outlines_of(masks: Masks) -> dict[str, list[list[list[float]]]]:
    """Class -> outlines of its lesions, each a list of (row, column)."""
    return {name: [_rounded(_simple(line)) for line in outlines(mask)] for name, mask in masks.items()}


def path_of(points: list[list[float]]) -> str:
    """The outline as the path of an SVG whose x is the column and whose y is the row."""
    return "M" + "L".join(f"{column:g} {row:g}" for row, column in points) + "Z" if points else ""


def _finding(finding: Finding) -> dict[str, Any]:
    polygon = _rounded(finding.polygon) or (_corners(*finding.box) if finding.box else [])
    box = _rounded(finding.box) if finding.box else None
    return {
        "label": finding.label,
        "score": finding.score,
        "peak": _rounded(finding.peak),
        "box": box,
        "polygon": polygon,
        "path": path_of(polygon),
    }


def _corners(top: float, left: float, bottom: float, right: float) -> list[list[float]]:
    return [_rounded(corner) for corner in ((top, left), (top, right), (bottom, right), (bottom, left))]


def _to_cell(grid: PixelGrid, cells: tuple[int, ...]) -> list[float]:
    """Found from two points of the image, since each axis is scaled and moved on its own."""
    (row_a, col_a), (row_b, col_b) = grid.to_model(np.array([[0.0, 0.0], list(grid.original_shape)])).tolist()
    (height, width), (rows, columns) = grid.original_shape, grid.model_shape
    down, across = cells[0] / rows, cells[1] / columns
    return [(row_b - row_a) / height * down, row_a * down, (col_b - col_a) / width * across, col_a * across]


def _simple(line: NDArray[np.int32]) -> Any:
    """By less than a pixel, unless that leaves too many corners."""
    away = 0.7  # a single pixel stays a square
    simple = cv2.approxPolyDP(line[:, None], away, closed=True)
    while len(simple) > _MOST_CORNERS:
        away *= 2
        simple = cv2.approxPolyDP(line[:, None], away, closed=True)
    return simple[:, 0].tolist()


def _rounded(values: Any) -> Any:
    """To a tenth of a pixel: shorter, and as good to the eye."""
    return np.round(np.asarray(plain(list(values)), dtype=np.float64), 1).tolist() if len(values) else []
