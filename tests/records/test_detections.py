"""Boxes of a model as findings."""

import numpy as np

from mammoseg.records.detections import findings_of_boxes
from mammoseg.records.grid import PixelGrid
from mammoseg.records.saliency import MOST

GRID = PixelGrid((20, 10), (10, 5), True, -1, 0, 10, 6, (20, 12))
"""Half of the size, mirrored, a row above the image; the window is shown twice as large."""


def found(*boxes: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array(boxes, np.float32).reshape(-1, 5)
    return values[:, :4], values[:, 4]


def test_on_the_pixels_of_the_file_cut_to_the_image() -> None:
    findings = findings_of_boxes({"benign": found((0, 2, 6, 8, 0.4)), "malignant": found((4, 0, 8, 4, 0.9))}, GRID)
    assert [(f.label, round(f.score, 6)) for f in findings] == [("malignant", 0.9), ("benign", 0.4)]
    assert findings[0].box == (2, 6, 6, 10)
    assert findings[0].peak == (4, 8)
    assert findings[1].box == (0, 2, 4, 8)


def test_neither_the_faint_nor_what_lies_beside_the_image_nor_too_many() -> None:
    assert findings_of_boxes({"benign": found((4, 0, 8, 4, 0.009), (-2, 0, 1, 4, 0.9), (0, 0, 0, 0, 0.0))}, GRID) == ()
    many = found(*((4, 0, 8, 4, 0.5 + 0.01 * i) for i in range(MOST + 5)))
    findings = findings_of_boxes({"benign": many}, GRID)
    assert len(findings) == MOST
    assert findings[0].score == np.float32(0.5 + 0.01 * (MOST + 4))
