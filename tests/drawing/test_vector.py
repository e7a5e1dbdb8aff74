"""A sheet as PDF or SVG looks like the one in pixels."""

from pathlib import Path

import numpy as np
from PIL import Image

from mammoseg.drawing.sheet import Box, Line, Sheet, Text
from mammoseg.drawing.vector import save_vector


def test_both_ways_of_drawing_put_everything_in_the_same_place(tmp_path: Path) -> None:
    """matplotlib writes the same artists as PNG, which can be compared."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
    box = np.array([(30.0, 30.0), (130.0, 30.0), (130.0, 90.0), (30.0, 90.0), (30.0, 30.0)])
    sheet = Sheet(
        200,
        100,
        [(100, 20, noise)],
        [
            Line(box, "#56B4E9", "dashed", 2, Box(0, 0, 120, 100)),
            Line(box + 10, "#E69F00", "solid", 2, Box(0, 0, 200, 95)),
        ],
        [Text(10, 20, "truth $1", 16)],
    )
    save_vector(sheet, tmp_path / "figure.png", "png")
    found = np.asarray(Image.open(tmp_path / "figure.png").convert("RGB")).astype(int)
    expected = sheet.draw().astype(int)
    assert found.shape == expected.shape
    inside = np.s_[50:75, 145:175]
    np.testing.assert_array_equal(found[inside], expected[inside])
    assert np.abs(found - expected).mean() < 12, "edges of lines and letters differ a little"
