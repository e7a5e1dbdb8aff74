"""The figure of a prediction as a file: that of drawing/overlay.py, with the truth of its row."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.data.manifest import ImageRow
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.export.figures import overlay_writer
from mammoseg.prep.config import PrepConfig
from mammoseg.records.colours import LOOKS, rgb
from mammoseg.records.grid import PixelGrid
from mammoseg.records.image import Mammogram
from mammoseg.records.prediction import Patch, Prediction

PREP = PrepConfig(opening_px=4)
SCORES = {"benign": 0.25, "malignant": 0.75}
SHAPE = (640, 500)
"""An image that is shown without scaling, so that its pixels are found again in the figure."""


def prediction_of(shape: tuple[int, int] = SHAPE, flipped: bool = False, **window: int) -> Prediction:
    """The whole image as the model's window, unless told."""
    window = {"top": 0, "left": 0, "height": shape[0], "width": shape[1]} | window
    grid = PixelGrid(shape, shape, flipped, **window, model_shape=(window["height"], window["width"]))
    maps = {"saliency": np.full((2, 8, 6), 0.5, np.float32)}
    return Prediction("p1_L-CC", "p1", "e1", "L", "CC", SCORES, grid, maps, (Patch(100, 60, 80, SCORES),))


def image_of(shape: tuple[int, int] = SHAPE) -> Mammogram:
    pixels = np.zeros(shape, np.uint16)
    pixels[shape[0] // 8 : -(shape[0] // 8), : shape[1] // 2] = 2000
    return Mammogram(pixels, "L", "CC", "p1_L-CC")


def mask_file(path: Path, shape: tuple[int, int], rows: slice, columns: slice) -> Path:
    mask = np.zeros(shape, np.uint8)
    mask[rows, columns] = 255
    cv2.imwrite(str(path), mask)
    return path


@pytest.fixture
def row(tmp_path: Path) -> ImageRow:
    mask = mask_file(tmp_path / "mask.png", SHAPE, slice(200, 260), slice(100, 150))
    return ImageRow("p1", "e1", "p1_L-CC", "L", "CC", tmp_path / "x.png", masks={"malignant": mask})


def read(path: Path) -> NDArray[np.uint8]:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(np.uint8)


def test_the_file_is_the_figure(tmp_path: Path, row: ImageRow) -> None:
    image, prediction = image_of(), prediction_of()
    overlay_writer(tmp_path / "out", PREP)(prediction, image, row)
    mask = cv2.imread(str(tmp_path / "mask.png"), cv2.IMREAD_UNCHANGED) > 0
    expected = overlay_sheet(image.pixels, prediction, {"malignant": mask}, PREP).draw()
    np.testing.assert_array_equal(read(tmp_path / "out" / "overlays" / "p1_L-CC.png"), expected)


@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_figures_for_papers_have_their_text_as_text(tmp_path: Path, row: ImageRow, kind: Any) -> None:
    for folder in ("out", "again"):
        overlay_writer(tmp_path / folder, PREP, kind)(prediction_of(), image_of(), row)
    written = (tmp_path / "out" / "overlays" / f"p1_L-CC.{kind}").read_bytes()
    assert written == (tmp_path / "again" / "overlays" / f"p1_L-CC.{kind}").read_bytes()
    if kind == "svg":
        assert b">p1_L-CC + truth</text>" in written
        assert written.count(b"<image") == 5, "image, patches, two maps and an enlarged patch are embedded"
    else:
        assert written.startswith(b"%PDF")
        assert written.count(b"/Subtype /Image") == 5
        assert re.search(rb"/FontName /\S*DejaVuSans", written)


def test_a_mask_of_another_size_is_told_and_the_figure_drawn_without_it(
    tmp_path: Path, row: ImageRow, caplog: pytest.LogCaptureFixture
) -> None:
    overlay_writer(tmp_path / "out", PREP, "svg")(prediction_of((300, 200)), image_of((300, 200)), row)
    assert re.search(r"mask\.png: the mask has \(640, 500\) pixels.*\(300, 200\)", caplog.text)
    assert b">p1_L-CC (malignant cannot be read)</text>" in (tmp_path / "out" / "overlays" / "p1_L-CC.svg").read_bytes()


def test_a_mask_of_the_window_is_outlined_on_its_original_pixels(tmp_path: Path) -> None:
    """A right breast in a window with padding above and beside: window row r is image row r - 20, and window column c
    is image column 500 - 1 - (c + 100)."""
    mask = mask_file(tmp_path / "mask.png", (600, 450), slice(100, 160), slice(200, 260))
    row = ImageRow("p1", "e1", "p1_R-CC", "R", "CC", tmp_path / "x.png", masks={"malignant": mask}, mask_frame="window")
    prediction = prediction_of(flipped=True, top=-20, left=100, height=600, width=450)
    overlay_writer(tmp_path / "out", PREP)(prediction, image_of(), row)
    first_panel = read(tmp_path / "out" / "overlays" / "p1_L-CC.png")[34 : 34 + SHAPE[0], : SHAPE[1]]
    rows, cols = np.nonzero((first_panel == rgb(LOOKS["malignant"].on_dark)).all(axis=-1))
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == pytest.approx((80, 139, 140, 199), abs=2)
