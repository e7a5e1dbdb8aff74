"""`mammoseg calibrate`: what it writes and says, where, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.manifest import Manifest
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.calibration import read_calibration


@pytest.fixture
def base(scored_study: Manifest) -> tuple[Any, ...]:
    return ("calibrate", "--predictions", scored_study.path.parent / "predictions", "--manifest", scored_study.path)


def test_writes_a_file_and_says_what_is_in_it(
    base: tuple[Any, ...], command: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "calibration.json"
    done = command(*base, "--split", "val", "--at", "sensitivity=0.9", "--prevalence", "0.01", "--out", out)
    assert done.code == 0, done.err
    found = read_calibration(out).classes["malignant"]
    assert found.point is not None
    assert f"{found.point.threshold:.4g}" in done.out
    assert "a population with 1.00% positive" in done.out
    assert "benign is not calibrated: 3 patients with a positive breast" in done.out
    again = command(*base, "--out", out)
    assert again.code == 2
    assert "is there already" in again.err
    assert command(*base, "--out", out, "--overwrite").code == 0
    assert read_calibration(out).classes["malignant"].point is None


def test_stores_it_with_the_checkpoint_that_predicted(
    tiny_gmic: Callable[..., Path],
    write_scored_study: Callable[..., Manifest],
    command: Callable[..., Any],
    tmp_path: Path,
) -> None:
    folder = tiny_gmic(5)
    manifest = write_scored_study(tmp_path, open_predictor(folder, "cpu").settings, patients=60)
    given = ("calibrate", "--predictions", tmp_path / "predictions", "--manifest", manifest.path)
    assert command(*given, "--checkpoint", folder).code == 0
    assert open_predictor(folder, "cpu").calibration is not None
    other = command(*given, "--checkpoint", tiny_gmic(6))
    assert other.code == 1
    assert "of another checkpoint" in other.err


def test_aligns_to_another_site(
    base: tuple[Any, ...],
    write_scored_study: Callable[..., Manifest],
    command: Callable[..., Any],
    tmp_path: Path,
) -> None:
    before, after = tmp_path / "here.json", tmp_path / "there.json"
    assert command(*base, "--at", "recall_rate=0.3", "--out", before).code == 0
    write_scored_study(tmp_path, seed=2, shift=1.5)
    site = ("calibrate", "--predictions", tmp_path / "predictions", "--align-to", before)
    done = command(*site, "--out", after)
    assert done.code == 0, done.err
    assert "with another share of cancers here" in done.out.lower()
    assert "malignant: recalled here" in done.out
    assert json.loads(after.read_text())["classes"]["malignant"]["alignment"]["breasts"] == 220
    assert command(*site, "--out", tmp_path / "x.json", "--at", "sensitivity=0.9").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "one of the two"),
        (("--out", "x.json", "--checkpoint", "run"), 2, "one of the two"),
        (("--out", "x.txt"), 2, "no name of a JSON file"),
        (("--out", "x.json", "--at", "ppv=0.5"), 1, "expected a rule and a share"),
        (("--out", "x.json", "--prevalence", "6"), 1, "expected a share between 0 and 1"),
        (("--out", "x.json", "--split", "train"), 1, "no image has split 'train'"),
        (("--out", "x.json", "--method", "isotonic", "--split", "val"), 1, "isotonic needs 100 of each"),
        (("--checkpoint", "glam_phantom"), 1, "comes with mammoseg"),
        (("--checkpoint", "nothing"), 1, "no checkpoint here"),
    ],
    ids=str,
)
def test_refuses(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    base: tuple[Any, ...],
    command: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command(*base, *arguments)
    assert done.code == code
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_needs_labels_unless_it_aligns(base: tuple[Any, ...], command: Callable[..., Any], tmp_path: Path) -> None:
    done = command(*base[:3], "--out", tmp_path / "x.json")
    assert done.code == 2
    assert "labels are needed" in done.err


def test_what_an_alignment_takes_from_the_calibration_is_not_given(
    base: tuple[Any, ...], command: Callable[..., Any], tmp_path: Path
) -> None:
    done = command(*base[:3], "--align-to", "x.json", "--method", "platt", "--out", tmp_path / "y.json")
    assert done.code == 2
    assert "takes all of it from the calibration" in done.err
