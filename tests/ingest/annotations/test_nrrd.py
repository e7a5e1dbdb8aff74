"""NRRD: the column first, directions of Slicer and others, layers, segmentations that were cut, and files that lie."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

nrrd: Any = pytest.importorskip("nrrd")

LPS = {
    "space": "left-posterior-superior",
    "space directions": np.diag([0.07, 0.07, 1.0]),
    "space origin": np.zeros(3),
    "kinds": ["domain", "domain", "domain"],
}
SEGMENT = {"Segment0_ID": "Segment_1", "Segment0_Name": "malignant", "Segment0_LabelValue": "3", "Segment0_Layer": "0"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(indexed: NDArray[Any], header: dict[str, Any], name: str = "left.nrrd") -> Path:
        nrrd.write(str(tmp_path / name), indexed, header)
        return tmp_path / name

    return to_file


def test_a_label_map_as_slicer_writes_it(write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]) -> None:
    """SimpleITK and Slicer: i is the column, j the row, one slice."""
    values = lesion.astype(np.uint8) + 2 * np.roll(lesion, 70, axis=1)
    path = write(values.T[:, :, None], LPS)
    done = bring("nrrd", path, rules=("1=malignant", "2=benign", "3="))
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), values == 1)
    assert np.array_equal(mask_of(done, "left", "benign"), values == 2)


def test_a_picture_of_two_indices_without_directions(
    write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    done = bring("nrrd", write(lesion.T.astype(np.uint8), {}), rules=("*=benign",))
    assert np.array_equal(mask_of(done, "left", "benign"), lesion)


def test_segments_have_names(write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]) -> None:
    path = write(lesion.T[:, :, None].astype(np.uint8) * 3, {**LPS, **SEGMENT}, "left.seg.nrrd")
    assert np.array_equal(mask_of(bring("nrrd", path), "left", "malignant"), lesion)


def test_segments_that_overlap_lie_in_layers(write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]) -> None:
    layers = np.stack([lesion.T * 3, lesion.T[::-1] * 1])[..., None].astype(np.uint8)
    other = {"Segment1_Name": "benign", "Segment1_LabelValue": "1", "Segment1_Layer": "1", "Segment1_ID": "Segment_2"}
    header = {
        **LPS, **SEGMENT, **other,
        "kinds": ["list", "domain", "domain", "domain"],
        "space directions": np.array([[np.nan] * 3, *np.diag([0.07, 0.07, 1.0])]),
    }  # fmt: skip
    done = bring("nrrd", write(layers, header, "left.seg.nrrd"))
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion)
    assert np.array_equal(mask_of(done, "left", "benign"), lesion[:, ::-1])


def test_a_segmentation_that_was_cut_lies_where_it_says(
    write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    small = lesion[20:60, 10:50]
    header = {**LPS, **SEGMENT, "Segmentation_ReferenceImageExtentOffset": "10 20 0"}
    done = bring("nrrd", write(small.T[:, :, None].astype(np.uint8) * 3, header, "left.seg.nrrd"))
    expected = np.zeros_like(lesion)
    expected[20:60, 10:50] = small
    assert np.array_equal(mask_of(done, "left", "malignant"), expected)


def test_an_empty_segmentation_has_one_voxel(write: Any, bring: Any) -> None:
    done = bring("nrrd", write(np.zeros((1, 1, 1), np.uint8), {**LPS, **SEGMENT}, "left.seg.nrrd"))
    assert (done.problems, done.findings) == ([], [])


@pytest.mark.parametrize(
    ("space", "signs", "turned"),
    [
        ("left-posterior-superior", (1, 1), lambda m: m),
        ("left-posterior-superior", (1, -1), lambda m: m[::-1]),
        ("left-posterior-superior", (-1, 1), lambda m: m[:, ::-1]),
        ("right-anterior-superior", (-1, -1), lambda m: m),
        ("RAS", (1, 1), lambda m: m),  # no orientation, written as the unit matrix
        ("RAS", (-1, 1), lambda m: m[::-1]),
    ],
)
def test_directions(
    space: str, signs: Any, turned: Any, write: Any, bring: Any, mask_of: Any, lesion: NDArray[np.bool_]
) -> None:
    header = {**LPS, "space": space, "space directions": np.diag([*signs, 1.0])}
    path = write(turned(lesion).T[:, :, None].astype(np.uint8), header)
    assert np.array_equal(mask_of(bring("nrrd", path, rules=("1=benign",)), "left", "benign"), lesion)


def hostile(name: bytes) -> bytes:
    start = b"NRRD0004\ntype: uint8\ndimension: 2\n"
    files = {
        b"empty": b"",
        b"text": b"hello",
        b"outside": start + b"sizes: 128 160\nencoding: raw\ndata file: /etc/passwd\n\n",
        b"skip": start + b"sizes: 128 160\nencoding: raw\nbyte skip: -1\n\n" + bytes(20480),
        b"huge": start + b"sizes: 1000000 1000000\nencoding: raw\n\n",
        b"negative": start + b"sizes: -128 -160\nencoding: raw\n\n" + bytes(20480),
        b"none": start + b"sizes: 0 160\nencoding: raw\n\n",
        b"short": start + b"sizes: 128 160\nencoding: raw\n\n" + bytes(99),
        b"bomb": start + b"sizes: 128 160\nencoding: gzip\n\n" + gzip.compress(bytes(10**8)),
        b"packed": start + b"sizes: 128 160\nencoding: hex\n\n" + bytes(20480),
        b"type": start.replace(b"uint8", b"block")
        + b"sizes: 128 160\nencoding: raw\nblock size: 99999999\n\n"
        + bytes(20480),
        b"headless": b"NRRD0004\n" + b"a:=b\n" * 300_000,
        b"sizes": b"NRRD0004\ntype: uint8\ndimension: 2\nencoding: raw\n\n",
        b"dimension": b"NRRD0004\ntype: uint8\nsizes: 128 160\nencoding: raw\n\n" + bytes(20480),
        b"labels": start.replace(b"uint8", b"float")
        + b"sizes: 128 160\nencoding: raw\n\n"
        + b"\x7f\x12\x34\x3e" * 20480,
    }
    return files[name]


@pytest.mark.parametrize(
    "name",
    [
        "empty",
        "text",
        "outside",
        "skip",
        "huge",
        "negative",
        "none",
        "short",
        "packed",
        "type",
        "headless",
        "sizes",
        "dimension",
        "labels",
    ],
)
def test_a_hostile_file_costs_itself_only(name: str, write: Any, bring: Any, tmp_path: Path) -> None:
    (tmp_path / "right.nrrd").write_bytes(hostile(name.encode()))
    write(np.ones((128, 160), np.uint8), {})
    done = bring("nrrd", tmp_path, rules=("*=benign",))
    assert [problem.source.name for problem in done.problems] == ["right.nrrd"]
    assert "passwd" not in done.problems[0].message
    assert dict(done.images) == {"benign": 1}


def test_a_bomb_is_inflated_no_further_than_its_header_says(bring: Any, tmp_path: Path) -> None:
    (tmp_path / "left.nrrd").write_bytes(hostile(b"bomb"))
    assert not bring("nrrd", tmp_path / "left.nrrd").findings


@pytest.mark.parametrize("shape", [(160, 128), (64, 80), (128, 160, 2)])
def test_another_size(shape: tuple[int, ...], write: Any, bring: Any) -> None:
    done = bring("nrrd", write(np.ones(shape, np.uint8), {}), rules=("1=benign",))
    assert len(done.problems) == 1
    assert ("exchanged" in done.problems[0].message) == (shape == (160, 128))


def test_without_the_library(write: Any, bring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(np.ones((128, 160), np.uint8), {})
    monkeypatch.setitem(__import__("sys").modules, "nrrd", None)
    with pytest.raises(ValueError, match=r"pip install 'mammoseg\[annotations\]'"):
        bring("nrrd", path)
