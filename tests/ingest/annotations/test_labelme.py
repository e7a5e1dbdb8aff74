"""LabelMe: each kind of shape on the pixels that it covers, and files that lie."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*shapes: Any, name: str = "left", **more: Any) -> Path:
        about = {"version": "5.5.0", "imagePath": f"..\\images\\{name}.png", "imageHeight": 160, "imageWidth": 128}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**about, "imageData": None, "shapes": shapes, **more}))
        return path

    return to_file


def shape(kind: str, *points: list[float], label: str = "malignant", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def expected(*slices: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    mask = np.zeros((160, 128), bool)
    for top, left, bottom, right in slices:
        mask[top:bottom, left:right] = True
    return mask


def test_polygon_and_rectangle(write: Any, bring: Any, mask_of: Any) -> None:
    polygon = shape("polygon", [10, 20], [14, 20], [14, 50], [10, 50])
    done = bring("labelme", write(polygon, shape("rectangle", [40, 90], [20, 70])))
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), expected((20, 10, 50, 14), (70, 20, 90, 40)))
    assert done.manifest.table["malignant_boxes"].tolist() == ["70 20 90 40", None]


def test_a_circle_goes_through_its_second_point(write: Any, bring: Any, mask_of: Any) -> None:
    mask = mask_of(bring("labelme", write(shape("circle", [60, 80], [60, 90]))), "left", "malignant")
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.03)
    assert (mask[70:90, 59].all(), mask[69].any(), mask[80, 50:70].all(), mask[:, 49].any()) == (
        True,
        False,
        True,
        False,
    )


def test_a_mask_between_two_corner_pixels(write: Any, bring: Any, mask_of: Any) -> None:
    small = np.array([[1, 0, 0], [1, 1, 0]], np.uint8)
    text = base64.b64encode(cv2.imencode(".png", small * 255)[1].tobytes()).decode()
    done = bring("labelme", write(shape("mask", [5, 7], [7, 8], mask=text)))
    mask = mask_of(done, "left", "malignant")
    assert np.array_equal(mask[7:9, 5:8], small > 0)
    assert mask.sum() == 3


def test_points_and_lines_are_findings_without_a_mask(write: Any, bring: Any, mask_of: Any) -> None:
    done = bring(
        "labelme", write(shape("point", [5, 7]), shape("line", [5, 7], [9, 9]), shape("linestrip", [5, 7], [9, 9]))
    )
    assert not done.problems
    assert [finding["pixels"] for finding in done.findings] == [0, 0, 0]
    assert mask_of(done, "left", "malignant") is None


def test_what_else_is_said(write: Any, bring: Any) -> None:
    done = bring(
        "labelme", write(shape("rectangle", [1, 1], [9, 9], flags={"spiculated": True, "old": False}, group_id=4))
    )
    assert done.findings[0]["said"] == "spiculated: yes; group: 4"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (shape("polygon", [1, 2], [3, 4]), "cannot be drawn"),
        (shape("polygon", [1, 2], [3, float("nan")], [5, 6]), "not a number"),
        (shape("polygon", [1, 2], [3, 1e12], [5, 6]), "beyond"),
        (shape("polygon", [1, 2], [3], [5, 6]), "pairs"),
        (shape("circle", [1, 2], [1, 2]), "half axes"),
        (shape("spiral", [1, 2], [3, 4], [5, 6]), "cannot be drawn"),
        (shape("mask", [5, 7], [7, 8], mask="????"), "mask"),
        (shape("mask", [5, 7], [7, 8], mask=None), "mask"),
        (shape("mask", [500, 7], [700, 8], mask=""), "beyond"),
    ],
)
def test_a_hostile_shape_costs_itself_only(bad: Any, why: str, write: Any, bring: Any, mask_of: Any) -> None:
    done = bring("labelme", write(bad, shape("rectangle", [1, 1], [9, 9], label="benign")))
    assert [why in problem.message for problem in done.problems] == [True]
    assert mask_of(done, "left", "benign").sum() == 64


@pytest.mark.parametrize("size", [{"imageHeight": 128, "imageWidth": 160}, {"imageHeight": 80, "imageWidth": 64}])
def test_an_image_of_another_size(size: dict[str, int], write: Any, bring: Any) -> None:
    done = bring("labelme", write(shape("rectangle", [1, 1], [9, 9]), **size))
    assert "as the image file has" in done.problems[0].message
    assert not done.findings


@pytest.mark.parametrize("more", [{"shapes": 3}, {"shapes": ["a"]}, {"imageHeight": "x"}])
def test_a_file_that_is_none(more: dict[str, Any], write: Any, bring: Any) -> None:
    assert len(bring("labelme", write(**more)).problems) == 1
