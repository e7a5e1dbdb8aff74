"""`mammoseg import-annotations`: exit codes, what lies beside the manifest, and that the same command gives the same again."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """images.csv about `a` and `b`, and a folder `drawn` with a file of LabelMe about `a`."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for name in "ab":
        cv2.imwrite(f"{name}.png", np.full((40, 30), 1000, np.uint16))
        rows.append((f"p{name}", f"e{name}", name, "L", "CC", f"{name}.png", "=1+1"))
    columns = ["patient_id", "exam_id", "image_id", "laterality", "view", "path", "note"]
    pd.DataFrame(rows, columns=columns).to_csv("images.csv", index=False)
    draw("a")
    return tmp_path


def draw(name: str, label: str = "malignant", right: int = 9) -> None:
    Path("drawn").mkdir(exist_ok=True)
    shape = {"label": label, "shape_type": "rectangle", "points": [[1, 1], [right, 9]]}
    Path("drawn", f"{name}.json").write_text(json.dumps({"shapes": [shape]}))


@pytest.fixture
def bring(desk: Path, command: Callable[..., Any]) -> Callable[..., Any]:
    def run(*more: object, format_: str = "labelme", out: str = "out.csv") -> Any:
        return command(
            "import-annotations", "--format", format_, "drawn", "--manifest", "images.csv", "--out", out, *more
        )

    return run


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_all_is_well(bring: Any, desk: Path) -> None:
    before = hashes(desk)
    done = bring("--labels")
    assert done.code == 0
    done.says("1 annotations of 1 files; images with masks: 1 malignant", "written: out.csv", "1 of them are boxes")
    after = hashes(desk)
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {"out.csv", "out_findings.csv", "out_masks/malignant/a.png"}
    table = pd.read_csv("out.csv", keep_default_na=False, dtype=str)
    assert table["malignant_mask"].tolist() == ["out_masks/malignant/a.png", ""]
    assert table["malignant"].tolist() == ["1", ""]
    assert table["note"].tolist() == ["'=1+1", "'=1+1"]


def test_the_same_again_is_the_same(bring: Any, desk: Path) -> None:
    bring()
    first = hashes(desk)
    assert bring().code == 2, "without --overwrite nothing is replaced"
    assert bring("--overwrite").code == 0
    assert hashes(desk) == first


def test_what_is_not_there_any_more_leaves_nothing_behind(bring: Any, desk: Path) -> None:
    draw("stranger")
    assert bring().code == 3
    assert Path("out_errors.csv").is_file()
    Path("drawn/stranger.json").unlink()
    Path("drawn/a.json").rename("drawn/b.json")
    Path("out_masks/malignant/mine.png").write_bytes(b"drawn by hand")
    assert bring("--overwrite").code == 0
    assert not Path("out_errors.csv").exists()
    assert sorted(path.name for path in Path("out_masks").rglob("*.png")) == ["b.png", "mine.png"]


def test_some_cannot_be_used(bring: Any) -> None:
    Path("drawn/b.json").write_text("{")
    draw("=HYPERLINK(1)")
    done = bring()
    assert done.code == 3
    done.says("2 could not be used", "out_errors.csv")
    errors = pd.read_csv("out_errors.csv", keep_default_na=False)
    assert errors.columns.tolist() == ["source", "item", "image_id", "kind", "message"]
    assert sorted(Path(source).name for source in errors["source"]) == ["=HYPERLINK(1).json", "b.json"]


def test_nothing_can_be_used(bring: Any) -> None:
    draw("a", right=1)
    done = bring()
    assert done.code == 1
    done.says("no manifest is written", "out_errors.csv")
    assert not Path("out.csv").exists()
    assert not Path("out_masks").exists()


def test_a_label_of_no_class(bring: Any, desk: Path) -> None:
    draw("b", "Cyst \x1b[2J")
    before = hashes(desk)
    done = bring()
    assert done.code == 1
    done.says("'Cyst", "--class")
    assert "\x1b" not in done.err
    assert hashes(desk) == before
    assert bring("--class", "cyst \x1b[2j=benign").code == 0


def test_an_error_halfway_leaves_no_masks(bring: Any, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashes(desk)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mammoseg.data.manifest.Manifest.to_csv", full)
    done = bring()
    assert done.code == 1
    done.says("No space left")
    assert not Path("out_masks").exists()
    assert hashes(desk).keys() - before.keys() <= {"out_findings.csv"}


@pytest.mark.parametrize(
    ("more", "out", "format_", "says"),
    [
        ((), "images.csv", "labelme", "is there already"),
        (("--overwrite",), "images.csv", "labelme", "which is not changed"),
        ((), "out.txt", "labelme", "no name of a CSV file"),
        ((), "out.csv", "labelmee", "dicom_seg"),
        ((), "out.csv", "no.such_format", "there is no module"),
        (("--class", "x"), "out.csv", "labelme", "expected LABEL=CLASS"),
        (("--set", "threshold=1"), "out.csv", "labelme", "threshold"),
        (("--set", "threshold=2"), "out.csv", "dicom_seg", "threshold"),
        (("nowhere",), "out.csv", "labelme", "does not exist"),
    ],
)
def test_wrong_usage(more: tuple[str, ...], out: str, format_: str, says: str, bring: Any, desk: Path) -> None:
    before = hashes(desk)
    done = bring(*more, format_=format_, out=out)
    assert done.code == 2
    assert says in " ".join((done.out + done.err).split())
    assert hashes(desk) == before
