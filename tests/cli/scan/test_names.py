"""`mammoseg scan` and the names of pictures: a pattern that is proposed works, folders of one name, ids people know."""

import re
from pathlib import Path

import cv2
import pytest
import typer
from typer.testing import CliRunner, Result

from mammoseg.cli.scan import scan
from mammoseg.data.manifest import load_manifest
from mammoseg.ingest.namesakes import PLACES
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import generate_exam

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(scan)


def write(root: Path, form: str, exams: int = 2) -> Path:
    """Pictures of exams, named by a form of patient, side and view."""
    for number in range(exams):
        for name, image in generate_exam(PhantomConfig.small(rows=208, columns=160), 0, number).images.items():
            side, _, view = name.partition("-")
            path = root / form.format(n=number, p=f"P{number}", s={"L": "left", "R": "right"}[side[0]], v=view.lower())
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image.pixels)
    return root


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["--workers", "0", *map(str, arguments)], standalone_mode=False)


def test_a_proposed_pattern_can_be_typed(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "{s}_{p}_{v}.png")
    cv2.imwrite(str(root / "other.png"), cv2.imread(str(root / "left_P0_cc.png")))
    result = invoke(root, "--out", tmp_path / "m.csv")
    assert result.return_value == 1
    output = " ".join(result.output.split())
    found = re.search(r"--pattern '([^']+)' fits 8 of 9 pictures \(4 left, 4 right, 2 patients\)", output)
    assert found, output
    result = invoke(root, "--out", tmp_path / "m.csv", "--pattern", found[1])
    assert result.return_value == 3
    assert [row.image_id for row in load_manifest(tmp_path / "m.csv").rows()] == [
        f"{side}_{patient}_{view}" for side in ("left", "right") for patient in ("P0", "P1") for view in ("cc", "mlo")
    ]


def test_sites_with_the_same_numbers(tmp_path: Path) -> None:
    root = write(tmp_path / "in", "site{n}/0012 {s} {v}.png")
    result = invoke(root, "--out", tmp_path / "m.csv")
    assert result.return_value == 0
    rows = list(load_manifest(tmp_path / "m.csv").rows())
    assert {row.patient_id for row in rows} == {"site0/0012", "site1/0012"}
    assert rows[0].image_id == "site0_0012_left_cc"
    assert " ".join(PLACES.split()) in " ".join(result.output.split())
    invoke(root, "--out", tmp_path / "n.csv", "--pattern", "{exam}/{patient} {laterality} {view}")
    rows = list(load_manifest(tmp_path / "n.csv").rows())
    assert {(row.patient_id, row.exam_id) for row in rows} == {("0012", "0012/site0"), ("0012", "0012/site1")}


@pytest.mark.parametrize("hashed", [False, True])
def test_ids_of_pictures(tmp_path: Path, hashed: bool) -> None:
    root = write(tmp_path / "in", "{p} {s} {v}.png", 1)
    result = invoke(root, "--out", tmp_path / "m.csv", *(["--hash-ids", tmp_path / "salt"] if hashed else []))
    assert result.return_value == 0
    table = load_manifest(tmp_path / "m.csv").table
    readable = [cell for name in ("patient_id", "exam_id", "image_id") for cell in table[name] if "P0" in cell]
    assert len(readable) == (0 if hashed else 12)
    assert hashed or table["image_id"].tolist() == ["P0_left_cc", "P0_left_mlo", "P0_right_cc", "P0_right_mlo"]
