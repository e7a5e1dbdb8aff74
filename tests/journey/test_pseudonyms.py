"""With --hash-ids nothing that is written or told names a person: no id, no name of a file or folder, no UID."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mammoseg.data.manifest import Manifest, load_manifest
from mammoseg.io.runs import load_prediction, predicted_ids

NAME = "Mustermann"
UID = "1.2.826.0.1.99"


@pytest.fixture(scope="module")
def checkpoint(tiny_gmic: Callable[..., Path]) -> Path:
    return tiny_gmic(1)


@pytest.fixture
def archive(tmp_path: Path, write_mammogram: Callable[..., Path], phantom_study: Manifest) -> Path:
    """DICOM files and pictures of two people in folders with their names, one file damaged, and one that is no mammogram."""
    folder = tmp_path / "archive"
    for number, (side, view) in enumerate([("L", "CC"), ("R", "CC")]):
        ids = {
            "PatientID": f"{NAME}7",
            "StudyInstanceUID": f"{UID}.1",
            "SeriesInstanceUID": f"{UID}.2",
            "ImagerPixelSpacing": [1.12, 1.12],
        }
        write_mammogram(
            folder / f"{NAME}7" / f"{number}.dcm",
            side,
            view,
            **ids,
            SOPInstanceUID=f"{UID}.3.{number}",
            PatientName=NAME,
        )
    picture = next(phantom_study.rows()).path
    shutil.copy(picture, folder / f"{NAME}8_L-CC.png")
    (folder / f"{NAME}8_R-CC.png").write_bytes(picture.read_bytes()[:5000])
    write_mammogram(folder / f"{NAME}9.dcm", "L", "CC", PatientID=f"{NAME}9", PresentationIntentType="FOR PROCESSING")
    (folder / f"{NAME}.txt").write_text("letter")
    return folder


def check(folder: Path, *done: Any) -> None:
    """Nothing in any file or name of a file, or said by a command."""
    for path in folder.rglob("*"):
        assert NAME not in path.name
        if path.is_file():
            content = path.read_bytes()
            assert NAME.encode() not in content, path
            assert UID.encode() not in content, path
    for each in done:
        assert NAME not in each.out + each.err
        assert UID not in each.out + each.err


def test_files_and_folders(
    archive: Path, checkpoint: Path, tmp_path: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out, salted = tmp_path / "out", ("--hash-ids", "salt")
    options = ("--checkpoint", checkpoint, "--figures", "svg", "--workers", 1, "--out", out)
    done = command("predict", archive, *options, *salted)
    assert done.code == 3, done.err
    assert "3 images predicted" in done.out
    check(out, done)
    records = [load_prediction(out, image_id) for image_id in predicted_ids(out)]
    assert all(
        len(r.patient_id) == 13 and r.source and (r.source.path, r.source.dicom) == (None, None) for r in records
    )
    again = command("predict", archive, *options, *salted)
    assert "0 images predicted, 3 done before, 1 failed" in again.out

    scanned = command("scan", archive, "--out", "images.csv", *salted)
    assert scanned.code == 3
    table = load_manifest(tmp_path / "images.csv").table.set_index("image_id")
    assert {r.image_id: (r.patient_id, r.exam_id) for r in records} == {
        image_id: (row["patient_id"], row["exam_id"]) for image_id, row in table.iterrows()
    }, "as a scan with the same salt calls them"
    exported = command("export", "page", "--predictions", out, "--manifest", "images.csv", *salted, "--out", "page")
    assert exported.code == 0, exported.err
    check(tmp_path / "page", exported)
    assert command("export", "page", "--predictions", out, "--out", "nothing").code == 1, "no record names its file"

    for others in ((), ("--hash-ids", "another")):
        refused = command("predict", archive, *options, *others)
        assert refused.code == 1
        refused.says("other settings")
    assert command("predict", archive, *options, "--overwrite").code == 3
    assert NAME in (out / "predictions.csv").read_text(), "what is looked for would be found"


def test_a_manifest(
    phantom_study: Manifest,
    checkpoint: Path,
    tmp_path: Path,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    table = phantom_study.subset("val").table.copy()
    for column in ("path", "benign_mask", "malignant_mask"):
        for row, path in table[column].dropna().items():
            (tmp_path / "images").mkdir(exist_ok=True)
            copy = tmp_path / "images" / f"{NAME}_{column}_{Path(path).name}"
            shutil.copy(path, copy)
            table.loc[row, column] = str(copy)
    for column in ("patient_id", "exam_id", "image_id"):
        table[column] = NAME + table[column]
    images = Manifest.from_table(table, tmp_path / "images.csv")
    images.to_csv(images.path)
    masked = table["malignant_mask"].dropna()
    Path(masked.iloc[0]).write_bytes(b"no picture")
    Path(table["path"].iloc[-1]).write_bytes(b"no picture")
    given = ("--manifest", "images.csv", "--hash-ids", "salt")
    done = command("predict", *given, "--checkpoint", checkpoint, "--figures", "svg", "--out", "out")
    assert done.code == 3
    done.says("drawn without its true lesion", "1 failed")
    check(tmp_path / "out", done)
    Path(masked.iloc[0]).write_bytes(Path(masked.iloc[1]).read_bytes())
    measured = command("evaluate", *given, "--predictions", "out", "--out", "metrics", "--bootstrap", 10)
    assert measured.code == 3, measured.err
    check(tmp_path / "metrics", measured)
    exported = command("export", "figures", *given, "--predictions", "out", "--out", "figures")
    assert exported.code == 0, exported.err
    check(tmp_path / "figures", exported)
    own = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert own["patient_id"].nunique() == table["patient_id"].nunique()


def test_an_exam_list_has_no_patients(checkpoint: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command(
        *("predict", "--exam-list", "list.pkl", "--images", tmp_path, "--hash-ids", tmp_path / "salt"),
        *("--checkpoint", checkpoint, "--out", tmp_path / "out"),
    )
    assert done.code == 2
    done.says("an exam list has no ids of patients")
    assert not (tmp_path / "salt").exists()
