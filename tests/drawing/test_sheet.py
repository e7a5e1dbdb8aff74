"""What stands where in a figure, drawn in pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mammoseg.drawing.sheet import Box, Line, Sheet, Text, fitted, font

WHITE = "#FFFFFF"


def line(style: str, clip: Box, width: int = 2) -> Line:
    return Line(np.array([(10.0, 20.0), (90.0, 20.0)]), WHITE, style, width, clip)


def drawn(style: str) -> np.ndarray:
    """Where a line is white, along itself, on a grey picture."""
    sheet = Sheet(100, 40, [(0, 0, np.full((40, 100, 3), 100, np.uint8))], [line(style, Box(0, 0, 100, 40))])
    return (sheet.draw() == 255).all(axis=-1).any(axis=0)


def test_styles_can_be_told_apart() -> None:
    pieces = {
        style: np.count_nonzero(np.diff(drawn(style).astype(int)) == 1) for style in ("solid", "dashed", "dotted")
    }
    assert pieces["solid"] == 1
    assert 4 <= pieces["dashed"] <= 7
    assert pieces["dotted"] > pieces["dashed"] + 3
    assert drawn("solid").sum() > drawn("dashed").sum() > drawn("dotted").sum()


def test_a_line_has_a_dark_border_and_ends_where_it_is_clipped() -> None:
    sheet = Sheet(100, 40, [(0, 0, np.full((40, 100, 3), 255, np.uint8))], [line("solid", Box(0, 0, 50, 40))])
    rows, columns = np.nonzero((sheet.draw() == 0).all(axis=-1))
    assert columns.min() == pytest.approx(10, abs=3)
    assert columns.max() == 49
    assert 2 <= np.ptp(rows) <= 5


def test_text_stands_on_its_base_line() -> None:
    rows, columns = np.nonzero(Sheet(100, 40, texts=[Text(10, 30, "H", 20)]).draw()[..., 0] > 128)
    assert (rows.max(), columns.min()) == pytest.approx((29, 12), abs=2)
    assert np.ptp(rows) == pytest.approx(14, abs=2)


def test_words_become_smaller_and_then_fewer() -> None:
    words = "window (dotted): 100% of the breast"
    wide = font(16).getlength(words)
    assert fitted(words, int(wide) + 1, 16) == (words, 16)
    assert fitted(words, int(wide * 0.7), 16) == (words, 11)
    cut, size = fitted(words, 60, 16)
    assert (size, cut[-3:]) == (9, "...")
    assert words.startswith(cut[:-3])
    assert font(size).getlength(cut) <= 60


def test_a_png_is_what_is_drawn(tmp_path: Path) -> None:
    sheet = Sheet(100, 40, lines=[line("dashed", Box(0, 0, 100, 40))], texts=[Text(10, 30, "H", 20)])
    sheet.save(tmp_path / "figure", "png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "figure")), sheet.draw())
