"""What a prediction points at: the peaks of its final saliency maps with the regions around them, on the pixels of the file.

Peak     A local maximum: no cell within `DISTANCE` of the window's longer side is higher. Cells beside the image do not count.
Region   The connected cells around the peak with at least half of its value, less those of higher peaks. A peak in the region
         of a higher one is no finding of its own.
Score    The value at the peak, as it is stored (float16).

Of each class the `MOST` highest peaks from `LOWEST` up are findings: a free-response ROC curve needs faint marks, too, and its
marks are the maxima that are left when weaker ones beside them are suppressed. A region at half height needs no threshold
that would have to fit every model.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.records.finding import Finding, Point
from mammoseg.records.grid import PixelGrid
from mammoseg.records.outline import outlines
from mammoseg.records.prediction import Prediction

LOWEST = 0.01
"""Saliency of the faintest peak that is a finding."""
MOST = 10
"""Findings of one class in one image."""
DISTANCE = 1 / 40
"""Between peaks, as a share of the window's longer side: 5 mm in that of the published models."""
MOST_CORNERS = 200
"""Of the outline of a region; those of ragged ones are simplified."""


def findings_of(prediction: Prediction) -> tuple[Finding, ...]:
    """All findings, those with the highest scores first; of equal ones, in the order of classes and rows."""
    grid, maps = prediction.grid, prediction.maps.get("saliency", ())
    found = [
        _finding(name, float(levels[peak]), peak, region, grid)
        for name, saliency in zip(prediction.scores, maps, strict=False)
        for levels in [_in_image(saliency, grid)]
        for peak, region in _peaks(levels)
    ]
    return tuple(sorted(found, key=lambda finding: -finding.score))


def _in_image(saliency: NDArray[np.floating], grid: PixelGrid) -> NDArray[np.float32]:
    """A map as it is stored; 0 in cells whose centre lies beside the image."""
    return np.where(grid.inside(saliency.shape), np.clip(saliency, 0, 1), 0).astype(np.float16).astype(np.float32)


def _peaks(levels: NDArray[np.float32]) -> Iterator[tuple[tuple[int, int], NDArray[np.bool_]]]:
    """The cell of each peak and its region, the highest first."""
    reach = 2 * round(max(levels.shape) * DISTANCE) + 1
    highest = cv2.dilate(levels, np.ones((reach, reach), np.uint8))
    places = np.argwhere((levels == highest) & (levels >= LOWEST))
    free = np.ones(levels.shape, bool)
    count = 0
    for row, col in places[np.argsort(-levels[tuple(places.T)], kind="stable")]:
        if not free[row, col]:
            continue
        level = levels[row, col]
        _, parts = cv2.connectedComponents(((levels >= level / 2) & free).astype(np.uint8))
        region = parts == parts[row, col]
        free &= ~region
        yield _middle(region & (levels == level)), region
        count += 1
        if count == MOST:
            return


def _middle(plateau: NDArray[np.bool_]) -> tuple[int, int]:
    """Of the highest cells of a region, the one nearest to their mean."""
    cells = np.argwhere(plateau)
    row, col = cells[np.argmin(np.square(cells - cells.mean(axis=0)).sum(axis=1))]
    return int(row), int(col)


def _finding(name: str, score: float, peak: tuple[int, int], region: NDArray[np.bool_], grid: PixelGrid) -> Finding:
    [outline], cell = outlines(region), np.divide(grid.model_shape, region.shape)

    def placed(cells: ArrayLike) -> list[Point]:
        points = np.clip(grid.to_original(np.multiply(cells, cell)), 0, grid.original_shape)
        return [(row, col) for row, col in points.tolist()]

    (row_a, col_a), (row_b, col_b) = placed([outline.min(axis=0), outline.max(axis=0)])
    box = row_a, min(col_a, col_b), row_b, max(col_a, col_b)
    [(row, col)], (last_row, last_col) = placed([np.add(peak, 0.5)]), np.nextafter(grid.original_shape, 0).tolist()
    centre = min(row, last_row), min(col, last_col)  # in a pixel, though the middle of a cell may be on the border
    return Finding(name, score, centre, box, tuple(placed(_simple(outline))))


def _simple(outline: NDArray[np.int32]) -> NDArray[np.int32]:
    """With at most `MOST_CORNERS` corners, moved by as little as that takes."""
    away, line = 1, outline
    while len(line) > MOST_CORNERS:
        line = cv2.approxPolyDP(outline[:, None], away, closed=True)[:, 0].astype(np.int32)
        away *= 2
    return line
