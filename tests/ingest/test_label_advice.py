"""Advice: maps that can be typed as they are, `?` where nobody can know, and no value about a person."""

from pathlib import Path

import pytest

from mammoseg.ingest.label_advice import propose, propose_values
from mammoseg.ingest.label_map import map_columns
from mammoseg.ingest.tables import Table


def advice(maps: list[str] | None = None, **columns: list[str]) -> str:
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    table = Table(Path("t"), list(columns), dict(enumerate(rows, start=2)))
    return propose(table, map_columns(Path("t"), table.columns, maps or []))


@pytest.mark.parametrize(
    ("column", "values", "proposed"),
    [
        ("Finding", ["Cancer", "cancer ", "normal", ""], '"Finding:cancer=malignant,normal=none"'),
        ("Dx", ["DCIS", "fibroadenoma", "No finding"], '"Dx:dcis=malignant,fibroadenoma=benign,no finding=none"'),
        ("Dx", ["benign and malignant"], '"Dx:benign and malignant=benign+malignant"'),
        ("Dx", ["not malignant", "suspicious, cancer?", "asymmetry"], "malignant=?,suspicious, cancer?=?,asymmetry=?"),
        ("Cancer", ["0", "1", ""], '"Cancer=malignant"'),
        ("is benign", ["0", "1"], '"is benign=benign"'),
        ("Finding", [f"text {n}" for n in range(13)], '"Finding:VALUE=CLASS,..."'),
        ("Finding", ["x" * 41], '"Finding:VALUE=CLASS,..."'),
        ("Patient finding", ["cancer"], '"Patient finding:VALUE=CLASS,..."'),
    ],
)
def test_values(column: str, values: list[str], proposed: str) -> None:
    assert f"--map {proposed}" in propose_values(column, values) or proposed in propose_values(column, values)


def test_what_is_missing() -> None:
    assert advice(Case=["7", "8"], Breast=["left", "R"], Befund=["cancer", "normal"]) == (
        '--map "Case=patient_id" --map "Befund:cancer=malignant,normal=none" --map "Breast=laterality"'
    )
    assert advice(Image=["a.png", "b.png"], Result=["1", "0"]) == '--map "Image=path" --map "Result=malignant"'
    assert advice(Patient=["7"], Side=["L"], Finding=["x"]) == '--map "Finding:x=?"'
    assert "COLUMN=patient_id" in advice(a=["1"], b=["2"])


def test_values_about_persons_stay_unsaid() -> None:
    proposed = advice(Name=["Anna Cancer", "Eva Normal"], Comment=["cancer", "normal"], Weight=["70", "80"])
    assert proposed == '--map "Name=patient_id"'
