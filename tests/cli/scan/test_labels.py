"""`mammoseg scan --labels`: a spreadsheet as people have it, joined to pictures by the names they have."""

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from mammoseg.cli.scan import scan
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.label_map import MapError
from mammoseg.ingest.label_table import LabelError
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam
from mammoseg.records.label import CLASSES

FINDINGS = "Finding:cancer=malignant,benign lesion=benign,normal=none"
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(scan)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`P002 left mlo.png` and so on, of two patients, and a spot view."""
    root = tmp_path_factory.mktemp("in") / "films"
    root.mkdir()
    for number, patient in enumerate(("P002", "P003")):
        for name, image in generate_exam(PhantomConfig.small(rows=208, columns=160), 0, number).images.items():
            side = "left" if name.startswith("L") else "right"
            if name.endswith("MLO"):
                cv2.imwrite(str(root / f"{patient} {side} mlo.png"), image.pixels)
            elif (patient, side) == ("P002", "left"):
                cv2.imwrite(str(root / f"{patient} {side} cc SPOT.png"), image.pixels)
    return root


def workbook(path: Path, rows: Iterable[tuple[object, ...]]) -> Path:
    book = openpyxl.Workbook()
    book.active.append(("Patient", "Side", "Finding", "BIRADS"))
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["--workers", "0", *map(str, arguments)], standalone_mode=False)


def test_a_workbook_with_its_own_words(films: Path, tmp_path: Path) -> None:
    rows = [("P002", "left", "Benign lesion", 2), ("P002", "right", "normal ", 1), ("P3", "left", "cancer", 5)]
    table = workbook(tmp_path / "labels.xlsx", [*rows, ("p003", "right", "cancer", 5)])
    out = tmp_path / "m.csv"
    result = invoke(films, "--out", out, "--labels", table, "--map", FINDINGS)
    assert result.return_value == 0, result.output
    found = [(row.patient_id, row.laterality, *map(row.labels.get, CLASSES)) for row in load_manifest(out).rows()]
    assert found == [("P002", "L", 1, 0), ("P002", "R", 0, 0), ("P003", "L", None, None), ("P003", "R", None, 1)]
    output = " ".join(result.output.split())
    assert "3 images with, 1 without; 1 of 4 rows about no image, 1 images in no row" in output
    assert "1 benign, 1 malignant, 1 neither" in output
    assert "Patient is patient_id, Side is laterality, Finding is labels" in output
    assert "1 rows, whose ids or paths fit only in another spelling" in output
    assert "1 file: spot view (1)" in output
    labels = json.loads((tmp_path / "m_quality.json").read_text())["labels"]
    assert (labels["unmatched_rows"], labels["corrected_rows"], labels["images_without_row"]) == ([4], [5], 1)


def test_the_map_to_type_is_in_the_error(films: Path, tmp_path: Path) -> None:
    table = workbook(tmp_path / "labels.xlsx", [("P002", "left", "benign lesion", 2), ("P002", "right", "cancer", 5)])
    arguments = (films, "--out", tmp_path / "m.csv", "--labels", table)
    error = invoke(*arguments).exception
    assert isinstance(error, LabelError)
    _, _, proposed = str(error).partition('--map "')
    assert proposed == 'Finding:benign lesion=benign,cancer=malignant".'
    assert invoke(*arguments, "--map", proposed.removesuffix('".')).return_value == 0
    assert isinstance(invoke(*arguments, "--overwrite", "--map", "Befund:x=benign").exception, MapError)


def test_a_map_without_a_table(films: Path, tmp_path: Path) -> None:
    assert "Give --labels, too" in str(invoke(films, "--out", tmp_path / "m.csv", "--map", FINDINGS).exception)
