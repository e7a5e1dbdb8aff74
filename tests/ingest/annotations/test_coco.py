"""COCO: the worked examples of its run lengths, boxes and polygons on the pixels that they cover, and files that lie."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mammoseg.ingest.annotation import AnnotationError
from mammoseg.ingest.annotations.coco import decode_counts

CATEGORIES = [{"id": 1, "name": "benign"}, {"id": 7, "name": "Malignant mass"}]
BAR = {"id": 1, "image_id": 3, "category_id": 7, "bbox": [10, 20, 30, 5]}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*annotations: dict[str, Any], name: str = "left.png", **more: Any) -> Path:
        image = {"id": 3, "file_name": name, "height": 160, "width": 128}
        content = {"images": [image], "annotations": annotations, "categories": CATEGORIES, **more}
        path = tmp_path / "coco.json"
        path.write_text(json.dumps(content))
        return path

    return to_file


def encode(counts: list[int]) -> str:
    """As pycocotools does (rleToString)."""
    text = ""
    for i, count in enumerate(counts):
        x = count - (counts[i - 2] if i > 2 else 0)
        more = True
        while more:
            c = x & 0x1F
            x >>= 5
            more = x != -1 if c & 0x10 else x != 0
            text += chr((c | 0x20 if more else c) + 48)
    return text


def runs(mask: NDArray[np.bool_]) -> list[int]:
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    return np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()


def test_the_text_that_pycocotools_gives() -> None:
    """7 x 5 pixels, rows 2 to 4 of the columns 1 and 2, as version 2.0.11 encodes them."""
    assert decode_counts("9340<") == [9, 3, 4, 3, 16]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 100_000), max_size=20))
def test_compressed_run_lengths_are_the_same_numbers(counts: list[int]) -> None:
    assert decode_counts(encode(counts)) == counts


@pytest.mark.parametrize("compressed", [False, True])
def test_run_lengths_go_down_the_columns(
    compressed: bool, write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    counts = runs(lesion)
    rle = {"size": [160, 128], "counts": encode(counts) if compressed else counts}
    done = bring("coco", write({**BAR, "segmentation": rle, "iscrowd": 1}))
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion)
    assert done.manifest.table["malignant_boxes"].tolist() == ["20 10 25 40", None]


def test_a_box_alone_is_filled(write: Any, bring: Any, mask_of: Any) -> None:
    done = bring("coco", write(BAR))
    expected = np.zeros((160, 128), bool)
    expected[20:25, 10:40] = True
    assert np.array_equal(mask_of(done, "left", "malignant"), expected)
    assert done.boxes_filled == 1
    assert [done.findings[0][name] for name in ("top", "left", "bottom", "right", "pixels")] == [20, 10, 25, 40, 150]


def test_polygons_of_one_annotation_are_united(write: Any, bring: Any, mask_of: Any) -> None:
    square, triangle = [10, 20, 14, 20, 14, 24, 10, 24], [50, 50, 60, 50, 50, 60]
    done = bring("coco", write({**BAR, "bbox": None, "segmentation": [square, triangle]}))
    mask = mask_of(done, "left", "malignant")
    assert mask[20:24, 10:14].all()
    assert mask[50:60, 50:60].sum() == 45  # middles strictly above the diagonal
    assert mask.sum() == 16 + 45
    assert "malignant_boxes" in done.manifest.table
    assert done.manifest.table["malignant_boxes"].isna().all()


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        ({"bbox": [10, 20, float("nan"), 5]}, "not a number"),
        ({"bbox": [10, 20, 1e300, 5]}, "beyond"),
        ({"bbox": [10, 20, -3, 5]}, None),  # two corners all the same
        ({"bbox": [500, 500, 3, 5]}, "no area"),
        ({"bbox": "abc"}, "four numbers"),
        ({"bbox": [], "segmentation": []}, "neither"),
        ({"segmentation": [[1, 2, 3]]}, "pairs"),
        ({"segmentation": [[1, 2, 3, 4]]}, "three corners"),
        ({"segmentation": [["a", "b"] * 3]}, "pairs"),
        ({"segmentation": [[1e9, 1, 2, 2, 3, 3]]}, "beyond"),
        ({"segmentation": [[-500, -500, -400, -500, -400, -400]]}, "no pixel"),
        ({"segmentation": {"size": [160, 128], "counts": [5, 6]}}, "do not cover"),
        ({"segmentation": {"size": [160, 128], "counts": [-1, 20481]}}, "do not cover"),
        ({"segmentation": {"size": [160, 128], "counts": [10**30]}}, "do not cover"),
        ({"segmentation": {"size": [160, 128], "counts": "o" * 1000}}, "no number"),
        ({"segmentation": {"size": [160, 128], "counts": "o"}}, "cut off"),
        ({"segmentation": {"size": [160, 128], "counts": "\u00e9"}}, "no number"),
        ({"segmentation": {"size": [128, 160], "counts": [20480]}}, "exchanged"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "1000000000"),
    ],
)
def test_a_hostile_annotation_costs_itself_only(
    annotation: dict[str, Any], why: str | None, write: Any, bring: Any, mask_of: Any
) -> None:
    good = {**BAR, "id": 2, "category_id": 1}
    done = bring("coco", write({**BAR, **annotation}, good))
    assert [why in problem.message for problem in done.problems] == ([True] if why else [])
    assert mask_of(done, "left", "benign").sum() == 150


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 100_000,
        "[]",
        "{}",
        '{"images": [], "annotations": {}, "categories": []}',
        '{"images": [1], "annotations": [], "categories": []}',
        '{"images": [{"id": [1]}], "annotations": [], "categories": []}',
        '{"images": [], "annotations": [{"image_id": 1, "category_id": 1}], "categories": []}',
    ],
)
def test_a_file_that_is_none(content: str, bring: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    done = bring("coco", tmp_path / "a.json")
    assert len(done.problems) == 1
    assert not done.findings


def test_very_many_categories(write: Any, bring: Any) -> None:
    categories = [*CATEGORIES, *({"id": number, "name": f"class {number}"} for number in range(10, 200_000))]
    assert not bring("coco", write(BAR, categories=categories)).problems


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "x" * 100_000, "no\0thing.png"])
def test_a_name_is_never_opened(name: str, write: Any, bring: Any) -> None:
    done = bring("coco", write(BAR, name=name))
    assert "is called so" in done.problems[0].message


@pytest.mark.parametrize("name", ["left", "left.dcm", "some/folder/left.jpg", "C:\\work\\left.png", "../left.png"])
def test_what_a_file_may_be_called(name: str, write: Any, bring: Any) -> None:
    assert bring("coco", write(BAR, name=name)).images == {"malignant": 1}


def test_the_decoder_takes_no_text_for_numbers() -> None:
    with pytest.raises(AnnotationError, match="no number"):
        decode_counts("9 3")


def two_images(first: str, second: str) -> list[dict[str, Any]]:
    return [{"id": 3, "file_name": first}, {"id": 4, "file_name": second}]


def test_of_two_images_of_one_name_that_in_its_folder_is_drawn(write: Any, bring: Any, mask_of: Any) -> None:
    images = two_images("images/left.png", "other/left.png")
    done = bring("coco", write(BAR, {**BAR, "id": 2, "image_id": 4, "bbox": [60, 60, 10, 10]}, images=images))
    assert [(problem.item, "in other folders" in problem.message) for problem in done.problems] == [
        ("annotation 2", True)
    ]
    assert mask_of(done, "left", "malignant").sum() == 150


@pytest.mark.parametrize("images", [two_images("a/left.png", "b/left.png"), two_images("a/b/left.png", "b/left.png")])
def test_two_images_of_one_name_in_unknown_folders_are_both_left_out(images: Any, write: Any, bring: Any) -> None:
    done = bring("coco", write(BAR, {**BAR, "id": 2, "image_id": 4}, images=images))
    assert len(done.problems) == 2
    assert not done.findings


def test_a_single_image_of_another_folder_is_drawn_and_told(
    write: Any, bring: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(bring("coco", write(BAR, name="upload/left.png")).findings) == 1
    assert "image left: drawn all the same" in caplog.text
    caplog.clear()
    for name in ("left.png", "images/left.png"):
        assert len(bring("coco", write(BAR, name=name)).findings) == 1
    assert not caplog.text
