"""What is drawn lies where the grid says."""

import base64
import zlib

import numpy as np
import pytest

from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction
from mammoseg.report import marks

SCORES = {"benign": 0.1, "malignant": 0.9}


def prediction_of(flipped: bool, cells: tuple[int, int] = (46, 30)) -> Prediction:
    """A window that leaves the image above and cuts it at the side."""
    grid = PixelGrid((400, 300), (200, 150), flipped, -20, 10, 230, 150, (460, 300))
    maps = np.random.default_rng(0).uniform(0, 0.5, (2, *cells)).astype(np.float32)
    patches = (Patch(100, 60, 64, SCORES, 0.5), Patch(0, 0, 64, SCORES))
    return Prediction("i", "p", "e", "R", "CC", SCORES, grid, {"saliency": maps}, patches)


@pytest.mark.parametrize("flipped", [True, False])
def test_maps_and_where_their_cells_are(flipped: bool) -> None:
    prediction = prediction_of(flipped)
    packed = marks.maps_of(prediction, list(SCORES))
    assert packed["shape"] == [2, 46, 30]
    cells = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8).reshape(packed["shape"])
    values = cells / 255 * np.array(packed["scale"])[:, None, None]
    down, top, across, left = packed["to_cell"]
    restored = prediction.grid.restore(prediction.maps["saliency"])
    for row, column in ((3, 200), (150, 40), (399, 120)):
        cell = int(down * (row + 0.5) + top), int(across * (column + 0.5) + left)
        if 0 <= cell[1] < 30:
            np.testing.assert_allclose(values[:, *cell], restored[:, row, column], atol=0.5 / 255)
    assert cells[:, 0].max() == 0, "beside the image"


def test_fine_maps_are_shown_by_their_means() -> None:
    fine = marks.maps_of(prediction_of(False, (1472, 960)), list(SCORES))
    assert fine["shape"] == [2, 736, 480]
    coarse = marks.maps_of(prediction_of(False, (736, 480)), list(SCORES))
    np.testing.assert_allclose(fine["to_cell"], coarse["to_cell"])


def test_patches_are_boxes_of_the_file() -> None:
    first, second = marks.patches_of(prediction_of(True))
    expected = prediction_of(True).grid.box_in_original(100, 60, 164, 124)
    np.testing.assert_allclose(first["box"], expected, atol=0.05)
    assert (first["attention"], second["attention"]) == (0.5, None)


def test_an_outline_is_around_the_pixels() -> None:
    mask = np.zeros((50, 60), bool)
    mask[10:20, 30:50] = True
    mask[49, 59] = True
    outlines = marks.outlines_of({"malignant": mask, "benign": np.zeros((50, 60), bool)})
    assert outlines["benign"] == []
    corner, box = sorted(outlines["malignant"], key=lambda line: -max(line)[0])
    assert {tuple(point) for point in box} == {(10, 30), (20, 30), (20, 50), (10, 50)}
    assert max(corner) == [50, 60]
    assert marks.path_of(box).count("L") == 3
    assert marks.path_of([]) == ""


def test_maps_are_in_the_order_that_is_asked_for() -> None:
    prediction = prediction_of(False)
    packed = marks.maps_of(prediction, ["other", "malignant", "benign"])
    assert packed["shape"] == [3, 46, 30]
    assert packed["scale"][0] < 1e-5, "a class that the model has not"
    assert packed["scale"][1:] == marks.maps_of(prediction, list(SCORES))["scale"][::-1]
