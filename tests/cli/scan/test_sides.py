"""`mammoseg scan --labels`: pictures whose names are numbers, with sides and views in the user's own table."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import typer
from typer.testing import CliRunner, Result

from mammoseg.cli.scan import scan
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.label_table import LabelError
from mammoseg.ingest.scan import NO_ROW
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(scan)
COLUMNS = ("file", "patient_id", "image_id", "side", "view", "label", "cancer")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """`10_100.png` and so on: two patients, four images each, the last of which is in no row of `labels.csv`."""
    root = tmp_path / "images"
    root.mkdir()
    rows = []
    for number in range(2):
        exam = generate_exam(PhantomConfig.small(rows=208, columns=160), 0, number)
        for image, (name, picture) in enumerate(exam.images.items()):
            file = f"1{number}_{number}0{image}.png"
            cv2.imwrite(str(root / file), picture.pixels)
            side, _, view = name.partition("-")
            rows.append((file, f"1{number}", f"{number}0{image}", side, view, 1, int((number, side) == (1, "L"))))
    write(tmp_path / "labels.csv", rows[:-1])
    return root


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def invoke(*arguments: object) -> Result:
    command = ["--workers", "0", "--map", "cancer=malignant", *map(str, arguments)]
    return CliRunner().invoke(app, command, standalone_mode=False)


def test_one_command_for_a_whole_folder(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    result = invoke(films, "--out", out, "--labels", tmp_path / "labels.csv")
    assert result.return_value == 3, result.output
    rows = list(load_manifest(out).rows())
    assert [(row.image_id, row.patient_id, row.exam_id) for row in rows[:5:4]] == [
        ("10_000", "10", "10"),
        ("11_100", "11", "11"),
    ]
    assert sorted(f"{row.laterality}-{row.view}" for row in rows[:4]) == ["L-CC", "L-MLO", "R-CC", "R-MLO"]
    assert [row.labels.get("malignant") for row in rows] == [
        int(row.patient_id == "11" and row.laterality == "L") for row in rows
    ]
    quality = json.loads((tmp_path / "m_quality.json").read_text())
    assert quality["files"]["unusable"] == {NO_ROW: 1}
    assert quality["pattern"] is None
    assert quality["labels"]["rows_corrected"] == 0
    assert (quality["labels"]["rows_without_image"], quality["labels"]["images_without_row"]) == (0, 0)
    findings = {finding["what"]: finding["images"] for finding in quality["findings"]}
    assert findings["the view is taken from the table of labels"] == 7
    assert "mirrored" not in str(findings)


def test_hashed_ids(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    result = invoke(films, "--out", out, "--labels", tmp_path / "labels.csv", "--hash-ids", tmp_path / "salt")
    assert result.return_value == 3, result.output
    rows = list(load_manifest(out).rows())
    assert [row.labels.get("malignant") for row in rows].count(1) == 2
    assert not {"10", "11", "10_000"} & {cell for row in rows for cell in (row.patient_id, row.exam_id, row.image_id)}


def test_a_row_that_contradicts_the_name_of_its_file(films: Path, tmp_path: Path) -> None:
    (films / "10_000.png").rename(films / "10_000 L CC.png")
    table = write(
        tmp_path / "labels.csv",
        [("10_000 L CC.png", "10", "", "R", "CC", 0, 0), ("10_001", "10", "", "L", "MLO", 0, 0)],
    )
    result = invoke(films, "--out", tmp_path / "m.csv", "--labels", table)
    quality = json.loads((tmp_path / "m_quality.json").read_text())
    findings = {finding["what"]: finding["rows"] for finding in quality["findings"]}
    named = "the table of labels tells another laterality than the file name: the file name is used"
    assert findings[named] == [2]
    assert (quality["labels"]["unmatched_rows"], result.return_value) == ([2], 3)


def test_two_sides_of_one_file_are_told_before_anything_is_read(films: Path, tmp_path: Path) -> None:
    rows = [("10_000.png", "10", "", side, "CC", 0, 0) for side in "LR"]
    result = invoke(films, "--out", tmp_path / "m.csv", "--labels", write(tmp_path / "labels.csv", rows))
    assert isinstance(result.exception, LabelError)
    assert "of one file: row 3" in str(result.exception)
    assert not (tmp_path / "m_quality.json").exists()


def test_a_silent_header_and_the_stem_as_image_id(write_mammogram: Callable[..., Path], tmp_path: Path) -> None:
    silent = {"ViewPosition": None, "ImageLaterality": None, "PatientOrientation": None, "PatientID": ""}
    root = tmp_path / "images"
    write_mammogram(root / "555.dcm", **silent)
    write_mammogram(root / "556.dcm", StudyInstanceUID="1.2.4", PatientID="12")
    table = write(
        tmp_path / "labels.csv", [("", "11", "555", "right", "mlo", 0, 1), ("", "12", "556", "L", "CC", 0, 0)]
    )
    result = invoke(root, "--out", tmp_path / "m.csv", "--labels", table)
    assert result.return_value == 0, result.output
    found = [
        (row.patient_id, row.laterality, row.view, row.labels.get("malignant"))
        for row in load_manifest(tmp_path / "m.csv").rows()
    ]
    assert found == [("11", "R", "MLO", 1), ("12", "L", "CC", 0)]
