"""A figure for a paper: what stands where, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.drawing.plate import Shown, plate
from mammoseg.io.figures import save_figure
from mammoseg.prep.config import PrepConfig
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction

SHAPE = (200, 160)
GRID = PixelGrid(SHAPE, SHAPE, False, 20, 0, 160, 120, (160, 120))


def breast() -> NDArray[np.uint16]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.where(((y - 100) / 70) ** 2 + (x / 90) ** 2 < 1, 1000 + 5 * x, 0).astype(np.uint16)


def said(model: str, score: float, patches: int = 2) -> Prediction:
    scores = {"benign": score, "malignant": 1 - score}
    maps = np.zeros((2, 40, 30), np.float32)
    maps[0, 18:22, 8:12] = score
    looked_at = tuple(Patch(10 * n, 20, 32, scores, 0.25 + n / 10) for n in range(patches))
    return Prediction("one", "p", "e", "L", "CC", scores, GRID, {"saliency": maps}, patches=looked_at)


def row(**more: Prediction) -> Shown:
    mask = np.zeros(SHAPE, bool)
    mask[90:110, 30:50] = True
    return Shown("image one", breast(), {"GLAM": said("GLAM", 0.75), **more}, {"malignant": mask}, PrepConfig())


def texts(rows: list[Shown], width_mm: float, tmp_path: Path) -> list[str]:
    save_figure(plate(rows, width_mm), tmp_path / "a.svg", "svg")
    return re.findall(r"<text[^>]*>([^<]*)</text>|<tspan[^>]*>([^<]*)</tspan>", (tmp_path / "a.svg").read_text())


def test_it_has_the_width_that_is_asked_for_and_a_column_for_every_map(tmp_path: Path) -> None:
    figure = plate([row(GMIC=said("GMIC", 0.5))] * 2, 170)
    assert figure.get_figwidth() * 25.4 == pytest.approx(170)
    places = [axes.get_position() for axes in figure.axes]
    assert len(places) == 2 * (2 + 4 + 2)  # image and patches, two maps of two models, two patches enlarged
    assert all(0 <= p.x0 < p.x1 <= 1.0001 and -0.0001 <= p.y0 < p.y1 <= 1 for p in places)
    words = {text for pair in texts([row(GMIC=said("GMIC", 0.5))], 170, tmp_path) for text in pair}
    assert {"image one", "image", "patches", "0.75", "0.25", "0.50", "1: 0.25", "2: 0.35"} <= words


def test_the_truth_is_drawn_and_the_map_is_coloured() -> None:
    figure = plate([row()], 120)
    image, _, benign, malignant, *_ = figure.axes
    outline = image.lines[-1].get_xydata()
    assert outline.min(axis=0) == pytest.approx([30, 90])
    assert outline.max(axis=0) == pytest.approx([50, 110])
    coloured = [np.ptp(np.asarray(axes.images[0].get_array(), float), axis=-1).max() for axes in (benign, malignant)]
    assert coloured[0] > 20
    assert coloured[1] == 0  # its map is empty


def test_without_patches_there_are_no_columns_of_them() -> None:
    one = row()
    figure = plate([Shown("x", one.pixels, {"CAM": said("CAM", 0.5, patches=0)}, {}, one.prep)], 100)
    assert len(figure.axes) == 3


def test_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(ValueError, match="different models"):
        plate([row(), row(GMIC=said("GMIC", 0.5))], 170)
    with pytest.raises(ValueError, match="more --width-mm"):
        plate([row()], 30)
