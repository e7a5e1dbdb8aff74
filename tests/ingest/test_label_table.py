"""Tables of labels are checked before any image is looked at, and what is wrong is told with the map to type."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mammoseg.ingest.label_table import LabelError, LabelTable, read_labels
from mammoseg.ingest.tables import TableError


def read(tmp_path: Path, *lines: str, maps: Sequence[str] = ()) -> LabelTable:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_labels(path, maps)


def test_cells_by_field(tmp_path: Path) -> None:
    table = read(tmp_path, "Patient,Seite,Malignant,Age", "P1,links,yes,50", "", maps=["Seite:links=left"])
    assert table.rows == {2: {"patient_id": "P1", "laterality": "L", "malignant": "yes"}}
    assert table.says[2].sure == {"malignant": 1}


def test_values_without_a_class_are_named(tmp_path: Path) -> None:
    lines = ["Patient,Side,Finding", "P1,L,cyst", "P1,R,asymmetry", "P2,L,cyst", "P2,R,cancer"]
    with pytest.raises(LabelError) as error:
        read(tmp_path, *lines, maps=["Finding:cancer=malignant"])
    text = str(error.value)
    assert "column 'Finding' has values without a class" in text
    assert ": 'cyst' (2 rows), 'asymmetry' (1 row): rows 2, 3, 4" in text
    assert '--map "Finding:cyst=benign,asymmetry=?"' in text
    with pytest.raises(LabelError) as error:
        read(tmp_path, *lines, maps=["Patient:P1=malignant"])
    assert "p2" not in str(error.value).lower()


@pytest.mark.parametrize(
    ("lines", "proposed"),
    [
        (
            ["Patient,Side,Finding", "P1,L,cancer"],
            "'Patient' is patient_id, 'Side' is laterality understood. Expected benign or",
        ),
        (["Patient,Side,Finding", "P1,L,cancer"], '--map "Finding:cancer=malignant"'),
        (["Case,Side,Malignant", "P1,L,1"], '--map "Case=patient_id"'),
        (["Patient,Malignant", "P1,positive"], 'say what the column is: --map "Malignant:positive=?"'),
    ],
)
def test_the_map_to_type_is_proposed(tmp_path: Path, lines: list[str], proposed: str) -> None:
    with pytest.raises(LabelError) as error:
        read(tmp_path, *lines)
    assert proposed in str(error.value)
    assert "P1" not in str(error.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["patient_id,laterality,malignant", "P1,L", "P1,R,1"], "1 of 2 rows have another number of cells .*: rows 2"),
        (["patient_id,malignant,malignant", "P1,1,0"], "the columns malignant are there more than once"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(tmp_path, *lines)
