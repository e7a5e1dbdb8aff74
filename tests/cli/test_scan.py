"""`mammoseg scan` as a whole: exit codes, files, nobody's name anywhere, killed and run again."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from mammoseg.cli.scan import scan
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.examine import MASK
from mammoseg.ingest.label_table import LabelError
from mammoseg.ingest.patterns import PatternError
from mammoseg.ingest.quality import WRONG_SIDE
from mammoseg.ingest.synthetic import write_study
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam

Write = Callable[..., Path]
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(scan)

SECRET = "Geheim"
PATIENT = {
    "PatientName": f"{SECRET}^Name",
    "PatientBirthDate": "19370101",
    "PatientAddress": SECRET,
    "OtherPatientIDs": SECRET,
    "PatientComments": SECRET,
    "AccessionNumber": SECRET,
    "ReferringPhysicianName": SECRET,
    "InstitutionName": SECRET,
    "StudyID": SECRET,
    "StudyDescription": SECRET,
    "SeriesDescription": SECRET,
    "ImageComments": SECRET,
    "OperatorsName": SECRET,
}
DEATH = """
import os, signal
from mammoseg.data.manifest import Manifest
Manifest.to_csv = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def invoke(*arguments: object) -> Result:
    """In this process, unless told otherwise."""
    return CliRunner().invoke(app, ["--workers", "0", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def tree(write_mammogram: Write, tmp_path: Path) -> Path:
    """An exam of four views, one of a wrong side with a copy, two images left out, and other files."""
    root = tmp_path / "pacs"
    for n, (side, view) in enumerate([("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]):
        write_mammogram(root / "ST1" / f"IM{n}", side, view, PatientID="Kennung-7", **PATIENT)
    other = {"PatientID": "Kennung-8", "StudyInstanceUID": "1.9.777777", "Manufacturer": "Other"}
    wrong = write_mammogram(root / "ST2" / "IM0.dcm", "L", ImageLaterality="R", PatientOrientation=None, **other)
    (root / "ST2" / "again").write_bytes(wrong.read_bytes())
    write_mammogram(root / "ST2" / "raw", PresentationIntentType="FOR PROCESSING", **other)
    write_mammogram(root / "ST2" / "part", PartialView="YES", **other)
    (root / "DICOMDIR").write_bytes(wrong.read_bytes())
    (root / "readme.txt").write_text(SECRET)
    (root / ".hidden").write_text(SECRET)
    (root / "ST2" / "loop").symlink_to(root)
    return root


def test_a_pacs_export(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "study" / "m.csv"
    result = invoke(tree, "--out", out, "--workers", 2)
    assert result.return_value == 0, result.output
    manifest = load_manifest(out, check_files=True)
    assert [(r.patient_id, f"{r.laterality}-{r.view}") for r in manifest.rows()] == [
        ("Kennung-7", "L-CC"),
        ("Kennung-7", "L-MLO"),
        ("Kennung-7", "R-CC"),
        ("Kennung-7", "R-MLO"),
        ("Kennung-8", "R-CC"),
    ]
    assert manifest.table["exam_id"].nunique() == 2
    quality = json.loads((tmp_path / "study" / "m_quality.json").read_text())
    assert quality["files"] == {
        "left out": {"a copy of another file": 1, "for processing": 1, "partial view": 1},
        "unusable": {},
        "no image": {
            "DICOMDIR, the table of contents of a disc": 1,
            "another kind of file": 1,
            "a hidden file or folder": 1,
            "a link to what is searched already": 1,
        },
    }
    found = {finding["what"]: finding["rows"] for finding in quality["findings"]}
    assert found[WRONG_SIDE] == [6]
    assert found["images of several manufacturers"] == []
    assert WRONG_SIDE in result.output
    left_out = pd.read_csv(tmp_path / "study" / "m_left_out.csv")
    assert set(left_out.loc[left_out["status"] == "left out", "path"]) == {"ST2/again", "ST2/raw", "ST2/part"}
    assert len(left_out) == 7
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == [
        "m.csv",
        "m_left_out.csv",
        "m_quality.html",
        "m_quality.json",
        "m_quality_images",
    ]
    pictures = sorted(path.name for path in (tmp_path / "study" / "m_quality_images").iterdir())
    assert pictures == [f"0000{row}.jpg" for row in range(2, 7)]


def test_a_folder_whose_path_is_no_text(tree: Path) -> None:
    """Every path of the manifest begins with it."""
    root = tree.rename(os.fsdecode(os.fsencode(tree.parent) + b"/f\xff"))
    result = invoke(root, "--out", root.parent / "m.csv")
    assert isinstance(result.exception, typer.BadParameter)
    assert r"f\xff: this path is no text in UTF-8" in str(result.exception)
    assert not (root.parent / "m_left_out.csv").exists()


def test_results_within_the_folder_are_not_scanned(tree: Path) -> None:
    """Thumbnails of an earlier scan are no images without side and view."""
    for overwrite in ([], ["--overwrite"]):
        result = invoke(tree, "--out", tree / "m.csv", "--workers", 0, *overwrite)
        assert result.exit_code == 0, result.output
        assert len(load_manifest(tree / "m.csv")) == 5
    assert len(list((tree / "m_quality_images").iterdir())) == 5


@pytest.mark.parametrize("hashed", [False, True])
def test_nobody_is_named(tree: Path, tmp_path: Path, hashed: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    out = tmp_path / "out" / "m.csv"
    options = ["--hash-ids", tmp_path / "salt", "--no-dates"] if hashed else []
    result = invoke(tree, "--out", out, *options)
    assert result.exit_code == 0
    texts = {path.name: path.read_text() for path in out.parent.iterdir() if path.is_file()}
    texts |= {"output": result.output, "log": caplog.text}
    assert not [name for name, text in texts.items() if SECRET in text or "1937" in text]
    may_hold_ids = set() if hashed else {"m.csv"}
    assert {name for name, text in texts.items() if "Kennung" in text} == may_hold_ids
    assert {name for name, text in texts.items() if "2024-01-31" in text} == may_hold_ids
    assert not [name for name, text in texts.items() if "777777" in text]
    if hashed:
        assert (tmp_path / "salt").stat().st_mode & 0o777 == 0o600
        assert set(json.loads(texts["m_quality.json"])["images"][0]) == {"row", "image_id"}
        before = out.read_text()
        assert invoke(tree, "--out", out, "--overwrite", *options).exit_code == 0
        assert out.read_text() == before


def test_paths_are_in_no_report(tree: Path, tmp_path: Path) -> None:
    (tree / "ST2").rename(tree / "Mustermann_Anna")
    (tree / "Mustermann_Anna" / "broken.dcm").touch()
    out = tmp_path / "out" / "m.csv"
    result = invoke(tree, "--out", out)
    holding = {path.name for path in out.parent.iterdir() if path.is_file() and "Mustermann" in path.read_text()}
    assert holding == {"m.csv", "m_left_out.csv"}
    assert "Mustermann" not in result.output


def test_broken_files_are_3_and_nothing_usable_is_1(tree: Path, tmp_path: Path) -> None:
    (tree / "ST1" / "cut.dcm").write_bytes((tree / "ST1" / "IM0").read_bytes()[:3000])
    result = invoke(tree, "--out", tmp_path / "m.csv")
    assert (result.return_value, len(load_manifest(tmp_path / "m.csv"))) == (3, 5)
    assert "unusable" in result.output
    nothing = tmp_path / "empty"
    nothing.mkdir()
    (nothing / "x.dcm").touch()
    result = invoke(nothing, "--out", tmp_path / "n.csv")
    assert result.return_value == 1
    assert not (tmp_path / "n.csv").exists()
    assert json.loads((tmp_path / "n_quality.json").read_text())["files"]["unusable"] == {"the file is empty": 1}


def test_headers_alone(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.ingest.examine.read_image", lambda _: pytest.fail("decoded"))
    assert invoke(tree, "--out", tmp_path / "m.csv", "--no-pixels").return_value == 0
    quality = json.loads((tmp_path / "m_quality.json").read_text())
    assert (quality["pixels_checked"], quality["counts"]["images"]) == (False, 5)


def test_labels(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("patient_id,laterality,malignant\nKennung-7,R,1\nKennung-9,L,0\n")
    result = invoke(tree, "--out", tmp_path / "m.csv", "--labels", table, "--no-pixels", "--hash-ids", tmp_path / "s")
    assert result.return_value == 0
    assert [row.labels.get("malignant") for row in load_manifest(tmp_path / "m.csv").rows()] == [None, None, 1, 1, None]
    assert "2 images with, 3 without; 1 of 2 rows about no image" in " ".join(result.output.split())
    table.write_text("patient_id,malignant\nKennung-7,1\n")
    result = invoke(tree, "--out", tmp_path / "n.csv", "--labels", table, "--no-pixels")
    assert isinstance(result.exception, LabelError)
    assert not (tmp_path / "n.csv").exists()


def test_labels_of_other_images_lose_no_report(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("patient_id,laterality,malignant\n7,R,1\n")
    result = invoke(tree, "--out", tmp_path / "m.csv", "--labels", table, "--no-pixels")
    assert isinstance(result.exception, LabelError)
    assert "written: no manifest" in result.output
    assert json.loads((tmp_path / "m_quality.json").read_text())["counts"]["images"] == 5
    assert not (tmp_path / "m.csv").exists()


def test_labels_are_read_before_the_images(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.ingest.scan.examine", lambda *_: pytest.fail("looked at"))
    table = tmp_path / "labels.csv"
    table.write_text("patient_id,laterality,malignant\nKennung-7,B,1\n")
    result = invoke(tree, "--out", tmp_path / "m.csv", "--labels", table)
    assert isinstance(result.exception, LabelError)


def test_phantoms_without_their_masks(tmp_path: Path) -> None:
    write_study(tmp_path / "ph", 1, PhantomConfig.small(), 0, (1, 0, 0), 1)
    masks = len(list((tmp_path / "ph" / "masks").iterdir()))
    assert masks > 0
    result = invoke(tmp_path / "ph", "--out", tmp_path / "m.csv")
    assert result.return_value == 0
    assert len(load_manifest(tmp_path / "m.csv")) == 4
    quality = json.loads((tmp_path / "m_quality.json").read_text())
    assert quality["files"]["left out"] == {MASK: masks}
    assert f"{MASK} ({masks})" in result.output


def test_a_patient_in_several_folders_is_told(tmp_path: Path) -> None:
    for year, exam in ((2020, 0), (2021, 1)):
        for name, image in generate_exam(PhantomConfig.small(), 0, exam).images.items():
            path = tmp_path / "in" / "0012" / str(year) / f"{name.replace('-', '_')}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image.pixels)
    result = invoke(tmp_path / "in", "--out", tmp_path / "m.csv")
    assert result.return_value == 0
    assert "8 of 2 exams, 2 patients" in " ".join(result.output.split())
    assert "--pattern" in result.output
    pattern = "{patient}/{exam}/{laterality}_{view}"
    result = invoke(tmp_path / "in", "--out", tmp_path / "n.csv", "--pattern", pattern)
    assert "8 of 2 exams, 1 patients" in " ".join(result.output.split())
    assert "--pattern" not in result.output


def test_a_pattern_that_fits_no_name(tmp_path: Path) -> None:
    write_study(tmp_path / "ph", 1, PhantomConfig.small(), 0, (1, 0, 0), 1)
    result = invoke(
        tmp_path / "ph" / "images", "--out", tmp_path / "m.csv", "--pattern", "{patient}/{laterality}{view}"
    )
    assert result.return_value == 1
    assert "the name does not fit the pattern (4)" in result.output
    result = invoke(tmp_path / "ph" / "images", "--out", tmp_path / "n.csv", "--pattern", "{patient}")
    assert isinstance(result.exception, PatternError)
    assert not (tmp_path / "n_quality.json").exists()


def test_pictures_by_pattern(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:160, :128]
    left = np.where(((rows - 80) / 60) ** 2 + (columns / 90) ** 2 <= 1, 100 + rows // 2, 0).astype(np.uint16)
    root = tmp_path / "in"
    root.mkdir()
    for name in ("7_1_L_CC.png", "7_1_L_MLO.tif", "7_2_L_CC.pgm"):
        left[80, 3] += 1
        (root / name).write_bytes(cv2.imencode(name[-4:], left)[1].tobytes())
    (root / "other.png").write_bytes((root / "7_1_L_CC.png").read_bytes())
    pattern = "{patient}_{exam}_{laterality}_{view}"
    result = invoke(root, "--out", tmp_path / "m.csv", "--pattern", pattern)
    assert result.return_value == 3
    found = list(load_manifest(tmp_path / "m.csv").rows())
    assert [(row.patient_id, row.view) for row in found] == [("7", "CC"), ("7", "MLO"), ("7", "CC")]
    assert len({row.exam_id for row in found}) == 2


def test_an_existing_manifest_is_kept(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    out.write_text("mine")
    result = invoke(tree, "--out", out, "--no-pixels")
    assert "is there already" in str(result.exception)
    assert out.read_text() == "mine"
    assert invoke(tree, "--out", out, "--no-pixels", "--overwrite").return_value == 0
    assert len(load_manifest(out)) == 5


def test_killed_and_run_again(tree: Path) -> None:
    """Beside the images, where its own files are found at the second run."""
    command = ["scan", str(tree), "--out", str(tree / "m.csv"), "--no-pixels"]
    main = "from mammoseg.cli.main import main; main()"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    died = subprocess.run([sys.executable, "-c", DEATH + main, *command], check=False, env=environment)
    assert died.returncode == -9
    assert not (tree / "m.csv").exists()
    done = subprocess.run(
        [sys.executable, "-c", main, *command], check=False, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(load_manifest(tree / "m.csv", check_files=True)) == 5
    assert pd.read_csv(tree / "m.csv")["path"].str.startswith("ST").all()


def test_the_scan_ends_with_advice_that_works(tmp_path: Path) -> None:
    """Phantoms as pictures without a pixel size: asked for, then the recipe that fits, then a command for it."""
    study = write_study(tmp_path / "study", 2, PhantomConfig.small(), 0)
    out = tmp_path / "m.csv"
    result = invoke(study.parent, "--out", out)
    assert "The pixel size of 8 of 8 images is unknown" in result.stdout
    labels = tmp_path / "labels.csv"
    table = load_manifest(study).table
    labels.write_text(table[["path", "malignant"]].to_csv(index=False))
    result = invoke(study.parent, "--out", out, "--overwrite", "--pixel-mm", "0.56", "--labels", labels)
    assert f"Next: mammoseg train --recipe glam_small --manifest {out} --out run" in result.stdout
    assert load_manifest(out).table["pixel_mm"].tolist() == [0.56] * 8
    windows = json.loads((tmp_path / "m_quality.json").read_text())["windows"]
    [small] = [window for window in windows if "glam_small" in window["recipes"]]
    assert small["in_window"] > 0.9
    assert small["images_below"] == 0
