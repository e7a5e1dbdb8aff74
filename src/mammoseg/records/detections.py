"""What a prediction points at, of a model that gives boxes itself: they are its findings."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.saliency import LOWEST, MOST

Scored = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Boxes (D, 4) as (top, left, bottom, right) in pixels of the window, and their scores (D,)."""


def findings_of_boxes(found: Mapping[str, Scored], grid: PixelGrid) -> tuple[Finding, ...]:
    """Class -> boxes; the highest scores first. Cut to the image, with their middle as peak; of each class the MOST highest from
    LOWEST up, as of maps, so that both are counted alike. What lies beside the image is none."""
    findings = []
    for name, (boxes_D4, scores_D) in found.items():
        ranked = np.argsort(-scores_D, kind="stable")
        of_class = [_finding(name, boxes_D4[d].tolist(), float(scores_D[d]), grid) for d in ranked]
        findings += [finding for finding in of_class if finding and finding.score >= LOWEST][:MOST]
    return tuple(sorted(findings, key=lambda finding: -finding.score))


def _finding(name: str, box: list[float], score: float, grid: PixelGrid) -> Finding | None:
    (top, left, bottom, right), (rows, columns) = grid.box_in_original(*box), grid.original_shape
    top, left, bottom, right = max(top, 0.0), max(left, 0.0), min(bottom, float(rows)), min(right, float(columns))
    if top >= bottom or left >= right:
        return None
    return Finding(name, score, ((top + bottom) / 2, (left + right) / 2), (top, left, bottom, right))
