"""NIfTI: which way rows and columns run in the files of each tool, and files that lie."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

nib: Any = pytest.importorskip("nibabel")

ITK = np.diag([-0.07, -0.07, 1.0, 1.0])
"""A picture without orientation, as ITK, 3D Slicer and MONAI Label write it: LPS directions in RAS."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(
        indexed: NDArray[Any], affine: NDArray[Any] | None = None, name: str = "left.nii.gz", kind: str = "1"
    ) -> Path:
        image = nib.Nifti2Image(indexed, affine) if kind == "2" else nib.Nifti1Image(indexed, affine)
        nib.save(image, tmp_path / name)
        return tmp_path / name

    return to_file


def values_of(lesion: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.asarray(lesion + 2 * np.roll(lesion, 70, axis=1), np.uint8)


@pytest.mark.parametrize("name", ["left.nii", "left.nii.gz", "LEFT.NII.GZ"])
@pytest.mark.parametrize("kind", ["1", "2"])
def test_a_label_map_of_one_slice(
    name: str, kind: str, write: Any, bring: Any, mask_of: Any, study: Any, lesion: Any
) -> None:
    values = values_of(lesion)
    path = write(values.T[:, :, None], ITK, name, kind).rename(study.folder / name.replace("LEFT", "left"))
    done = bring("nifti", path, rules=("1=malignant", "2=benign", "3="))
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), values == 1)
    assert np.array_equal(mask_of(done, "left", "benign"), values == 2)


@pytest.mark.parametrize(
    ("affine", "turned"),
    [
        (ITK, lambda m: m),
        (np.eye(4), lambda m: m),  # MONAI and nibabel, of a picture without orientation
        (None, lambda m: m),  # no form at all
        (np.diag([-0.07, 0.07, 1, 1]), lambda m: m[::-1]),  # rows from below
        (np.diag([0.07, -0.07, 1, 1]), lambda m: m[:, ::-1]),
    ],
    ids=["ITK", "unit", "none", "from below", "mirrored"],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_directions(affine: Any, turned: Any, dtype: Any, write: Any, bring: Any, mask_of: Any, lesion: Any) -> None:
    path = write(turned(lesion).T[:, :, None].astype(dtype), affine)
    assert np.array_equal(mask_of(bring("nifti", path, rules=("1=benign",)), "left", "benign"), lesion)


def test_two_dimensions(write: Any, bring: Any, mask_of: Any, lesion: Any) -> None:
    done = bring("nifti", write(lesion.T.astype(np.uint8), np.eye(4)), rules=("1=benign",))
    assert np.array_equal(mask_of(done, "left", "benign"), lesion)


def test_a_file_for_each_label(write: Any, bring: Any, mask_of: Any, study: Any, lesion: Any) -> None:
    write(lesion.T.astype(np.uint8), ITK, "left_malignant.nii.gz")
    write(lesion.T[::-1].astype(np.uint8), ITK, "left_benign.nii.gz")
    write(lesion.T.astype(np.uint8), ITK, "strange.nii.gz")
    done = bring("nifti", study.folder, sets=("pattern='{image}_{label}'",))
    assert np.array_equal(mask_of(done, "left", "malignant"), lesion)
    assert np.array_equal(mask_of(done, "left", "benign"), lesion[:, ::-1])
    assert [problem.source.name for problem in done.problems] == ["strange.nii.gz"]


@pytest.mark.parametrize(
    ("indexed", "affine", "why"),
    [
        (np.ones((160, 128), np.uint8), np.eye(4), "exchanged"),
        (np.ones((128, 160), np.uint8), np.eye(4)[[1, 0, 2, 3]], "axes"),
        (np.ones((1, 128, 160), np.uint8), np.eye(4), "one slice"),
        (np.ones((128, 160, 2), np.uint8), np.eye(4), "one slice"),
        (np.linspace(0, 1, 20480).reshape(128, 160).astype(np.float32), np.eye(4), "no labels"),
        (np.full((128, 160), np.nan, np.float32), np.eye(4), "no labels"),
    ],
)
def test_what_is_no_label_map_of_the_image(indexed: Any, affine: Any, why: str, write: Any, bring: Any) -> None:
    done = bring("nifti", write(indexed, affine), rules=("*=benign",))
    assert [why in problem.message for problem in done.problems] == [True]
    assert not done.findings


def damaged(path: Path, how: str) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    if how == "huge":
        content[42:48] = np.array([32767, 32767, 32767], "<i2").tobytes()
    elif how == "negative":
        content[42:44] = np.array([-5], "<i2").tobytes()
    elif how == "type":
        content[70:72] = np.array([9999], "<i2").tobytes()
    elif how == "offset":
        content[108:112] = np.array([1e30], "<f4").tobytes()
    elif how == "short":
        del content[-1000:]
    packed = {"empty": b"", "text": b"hello", "cut": gzip.compress(content)[:-500]}
    path.write_bytes(packed.get(how, gzip.compress(content)))


@pytest.mark.parametrize("how", ["huge", "negative", "type", "offset", "short", "empty", "text"])
def test_a_hostile_file_costs_itself_only(how: str, write: Any, bring: Any, tmp_path: Path) -> None:
    damaged(write(np.ones((128, 160, 1), np.uint8), ITK, "right.nii.gz"), how)
    write(np.ones((128, 160, 1), np.uint8), ITK)
    done = bring("nifti", tmp_path, rules=("*=benign",))
    assert [problem.source.name for problem in done.problems] == ["right.nii.gz"]
    assert dict(done.images) == {"benign": 1}
