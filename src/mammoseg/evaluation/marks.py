"""The marks of a prediction, and which lesions they hit.

A mark of a map is one of its peaks (statistics/peaks.py), found in the cells of the map; its place is the middle of the cell, in
pixels of the image file. Cells beside the image do not count. The findings of the record are marks as they are.

Of the marks that hit a lesion the highest is its lesion localisation; the others are further marks, which count neither as true nor
as false. A mark that lies in two lesions (boxes may overlap) hits both. Marks that hit none are non-lesion localisations.

Source   Chakraborty 2017, Observer Performance Methods for Diagnostic Imaging, ch. 12 and 13.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.evaluation.lesions import Lesion, overlap
from mammoseg.evaluation.mark_rule import MarkRule
from mammoseg.records.finding import Box, Finding, Point
from mammoseg.records.grid import PixelGrid
from mammoseg.statistics.peaks import local_maxima, thinned

LESION, FURTHER, FALSE = "lesion", "further", "non-lesion"
"""What a mark counts as."""


class Mark(NamedTuple):
    """A place with a rating, (row, column) in pixels of the image file."""

    rating: float
    place: Point
    box: Box | None = None


class Hits(NamedTuple):
    """Marks against the lesions of an image."""

    rating: list[float]
    """Of each lesion, that of its highest mark; -inf: none hits it."""
    lesions: list[list[int]]
    """Of each mark, the indices of the lesions that it hits."""
    counts_as: list[str]
    """Of each mark."""


def marks_of_map(
    map_hw: NDArray[np.floating], grid: PixelGrid, pixel_mm: tuple[float, float] | None, rule: MarkRule
) -> list[Mark]:
    """The peaks of a map over the window of `grid`, the highest first. `pixel_mm`: distance of rows and of columns, if known."""
    values = np.where(grid.inside(map_hw.shape), np.clip(map_hw, 0, 1), np.nan)
    cells = local_maxima(values, rule.floor)
    middle = grid.to_original((cells + 0.5) * np.divide(grid.model_shape, map_hw.shape))
    places = np.clip(middle, 0, np.nextafter(grid.original_shape, 0))
    apart = rule.apart_mm if pixel_mm else rule.apart_share * max(grid.original_shape)
    ratings = values[tuple(cells.T)].astype(np.float64)
    kept = thinned(ratings, places * (pixel_mm or (1, 1)), apart, rule.most)
    return [Mark(rating, (row, col)) for rating, (row, col) in zip(ratings[kept], places[kept].tolist(), strict=True)]


def marks_of_findings(findings: Sequence[Finding], label: str, rule: MarkRule) -> list[Mark]:
    """Those of a class from the floor up, the highest first."""
    marks = [Mark(found.score, found.peak, found.box) for found in findings if found.label == label]
    return sorted((mark for mark in marks if mark.rating >= rule.floor), key=lambda mark: -mark.rating)[: rule.most]


def hits_of(marks: Sequence[Mark], lesions: Sequence[Lesion], rule: MarkRule) -> Hits:
    """Which lesions each mark hits, and what it counts as. `marks` come with the highest first."""
    found = Hits([-np.inf] * len(lesions), [], [])
    for mark in marks:
        hit = [number for number, lesion in enumerate(lesions) if _hits(mark, lesion, rule)]
        first = [number for number in hit if found.rating[number] == -np.inf]
        for number in first:
            found.rating[number] = mark.rating
        found.lesions.append(hit)
        found.counts_as.append(LESION if first else FURTHER if hit else FALSE)
    return found


def _hits(mark: Mark, lesion: Lesion, rule: MarkRule) -> bool:
    if rule.overlap is None or mark.box is None:
        return lesion.holds(mark.place)
    return overlap(mark.box, lesion.box) >= rule.overlap
