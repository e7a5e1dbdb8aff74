"""Masks from shapes: which pixels, what is cut off, what is refused, and files that are whole."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.ingest.drawing import DrawingError, draw_mask, image_shape, write_mask
from mammoseg.io.read import read_mask


def test_an_outline_is_filled_with_its_border() -> None:
    mask = draw_mask((6, 8), outlines=[[(1, 2), (4, 2), (4, 4), (1, 4)]])
    expected = np.zeros((6, 8), dtype=bool)
    expected[2:5, 1:5] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    ("outline", "pixels"), [([(3.4, 1.6)], {(2, 3)}), ([(1, 1), (3, 1)], {(1, 1), (1, 2), (1, 3)})]
)
def test_points_and_lines_are_their_pixels(outline: list[tuple[float, float]], pixels: set[tuple[int, int]]) -> None:
    assert set(zip(*map(np.ndarray.tolist, np.nonzero(draw_mask((5, 5), outlines=[outline]))), strict=True)) == pixels


def test_overlapping_shapes_are_united() -> None:
    square, inner = [(0, 0), (5, 0), (5, 5), (0, 5)], [(2, 2), (3, 2), (3, 3), (2, 3)]
    mask = draw_mask((8, 8), outlines=[square, inner], boxes=[(6, 6, 8, 8)], circles=[(0, 7, 0)])
    assert mask.sum() == 36 + 4 + 1
    assert mask[2:4, 2:4].all()
    assert mask[7, 0]
    assert not draw_mask((8, 8), outlines=[[]]).any()


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((1, 2, 3, 4), (2, 4), (1, 3)),
        ((1.2, 2.7, 2.1, 3.5), (2, 4), (1, 3)),
        ((2, 2, 2, 2), (2, 3), (2, 3)),
        ((-5, -5, 2, 3), (0, 3), (0, 2)),
        ((4, 3, 90, 90), (3, 6), (4, 7)),
        ((-9, -9, -3, -3), (0, 0), (0, 0)),
        ((50, 50, 60, 60), (0, 0), (0, 0)),
    ],
)
def test_a_box_covers_the_pixels_it_touches(
    box: tuple[float, float, float, float], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    expected = np.zeros((6, 7), dtype=bool)
    expected[slice(*rows), slice(*columns)] = True
    np.testing.assert_array_equal(draw_mask((6, 7), boxes=[box]), expected)


def test_circles() -> None:
    assert draw_mask((40, 50), circles=[(20, 10, 3), (30, 30, 2)]).sum() == 29 + 13  # lattice points in these circles
    at_edge = draw_mask((40, 50), circles=[(49, 0, 3)])
    assert at_edge[0, 46]
    assert 0 < at_edge.sum() < 29


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"circles": [(float("nan"), 1, 1)]}, "not a number"),
        ({"outlines": [[(1, 1), (1e12, 1)]]}, "beyond 1000000 pixels"),
        ({"boxes": [(3, 3, 1, 5)]}, "ends before it begins"),
        ({"boxes": [(1, 2, 3)]}, "Expected 4"),
    ],
)
def test_numbers_that_are_no_place_are_refused(shapes: dict[str, list[tuple[float, ...]]], message: str) -> None:
    with pytest.raises(DrawingError, match=message):
        draw_mask((5, 5), **shapes)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(0, 5), (65535, 65535)])
def test_sizes_no_mammogram_has_are_refused_before_memory_is_taken(shape: tuple[int, int]) -> None:
    with pytest.raises(DrawingError, match="1 x 1 to 150 million"):
        draw_mask(shape)


def test_a_mask_file(tmp_path: Path) -> None:
    mask = draw_mask((5, 7), boxes=[(1, 1, 3, 3)])
    path = tmp_path / "masks" / "a.png"
    assert write_mask(path, mask) == str(path)
    np.testing.assert_array_equal(read_mask(path), mask)
    assert set(np.unique(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))) == {0, 255}
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]


def test_an_unknown_place_is_no_file(tmp_path: Path) -> None:
    assert write_mask(tmp_path / "masks" / "a.png", np.zeros((5, 7), dtype=bool)) is None
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize("name", ["a.png", "a.pgm", "a.tif", "a.jpg"])
def test_shape_of_pictures(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(cv2.imencode(path.suffix, np.full((12, 9), 7, np.uint8))[1].tobytes())
    assert image_shape(path) == (12, 9)


def test_shape_of_dicom(tmp_path: Path, write_dicom: Callable[..., Path]) -> None:
    assert image_shape(write_dicom(tmp_path / "a.dcm", np.zeros((12, 9), np.uint16))) == (12, 9)


@pytest.mark.parametrize(("name", "content"), [("a.dcm", b"nothing"), ("a.png", b"\x89PNG\r\n\x1a\n"), ("b.png", b"")])
def test_no_image_has_no_shape(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DrawingError, match=f"{name}: the size of the image cannot be read"):
        image_shape(tmp_path / name)
