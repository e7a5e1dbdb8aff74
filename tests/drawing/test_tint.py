"""Saliency as colour, and the bar that explains it."""

import numpy as np
import pytest

from mammoseg.drawing.tint import SHOWN_FROM, breast_in, colour_bar, tinted
from mammoseg.prep.config import PrepConfig
from mammoseg.records.grid import PixelGrid

BLUE = "#56B4E9"


def test_colour_begins_at_the_level_and_grows() -> None:
    gray = np.full((1, 5, 3), 100, np.uint8)
    saliency = np.array([[0.0, SHOWN_FROM - 1e-6, SHOWN_FROM, 0.5, 1.0]])
    blue = tinted(gray, saliency, BLUE)[0, :, 2].astype(int)
    assert blue[0] == blue[1] == 100
    assert blue[1] + 20 < blue[2] < blue[3] < blue[4] < 233


def test_the_bar_shows_the_colours_of_the_map_on_black() -> None:
    bar, words = colour_bar(641, BLUE)
    at_half = tinted(np.zeros((1, 1, 3), np.uint8), np.array([[0.502]]), BLUE)[0, 0]
    assert np.abs(bar[318, 8].astype(int) - at_half).max() <= 1
    assert not bar[-60, 8].any(), "below the level nothing is coloured"
    assert [text for _, _, text in words] == ["0.1", "0.25", "0.5", "0.75", "1"]
    assert [text for _, _, text in colour_bar(50, BLUE)[1]] == ["0.1", "1"], "no room for more"


@pytest.mark.parametrize("rows", [640, 4])
def test_the_opening_shrinks_with_the_figure(rows: int) -> None:
    """A letter beside the breast is cut off as in the preparation; a figure too small for that shows what is not 0."""
    small = np.zeros((rows, rows), np.float32)
    small[:, : rows // 2] = 1000
    small[rows // 4 : rows // 4 + 2, -2:] = 1000
    grid = PixelGrid((4000, 4000), (2000, 2000), False, 0, 0, 2000, 2000, (2000, 2000))
    breast = breast_in(small, grid, PrepConfig(opening_px=1200 if rows == 4 else 100))
    assert breast[rows // 2, 0]
    assert breast[rows // 4, -1] == (rows == 4)
