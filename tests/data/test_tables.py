"""Tables of data sets: read as they come, refused with a reason, rows without a file left out and told."""

import logging
from pathlib import Path

import pytest

from mammoseg.data.columns import ManifestError
from mammoseg.data.tables import AdapterError, read_table, tell, to_manifest


def test_cells_are_stripped_text_with_spreadsheet_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\ufeffid ,a path\n007," x\n"\n\n ,\n8,y\n', encoding="utf-8")
    table = read_table(path, ("id", "a path"))
    assert table.to_dict("index") == {2: {"id": "007", "a path": "x"}, 5: {"id": "8", "a path": "y"}}


def test_other_separators(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1,5;2\n")
    assert read_table(tmp_path / "t.csv", ("a", "b"), ";").loc[2].tolist() == ["1,5", "2"]


def test_rows_of_another_length_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    assert read_table(tmp_path / "t.csv", ("a",))["a"].tolist() == ["1"]
    assert "2 rows left out" in caplog.text
    assert "rows 3, 4" in caplog.text


def test_columns_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,,b,\n1,x,2,\n")
    assert read_table(tmp_path / "t.csv", ("a",)).to_dict("index") == {2: {"a": "1", "b": "2"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read .*Expected a table of the data set with the columns a, b"),
        (b"", "columns a, b are missing; there are none"),
        (b"a;b\n1;2\n", "columns a, b are missing; there are a;b. They are separated by ';'"),
        (b"a,c\n", "columns b are missing; there are a, c"),
        (b"a,b\n\xff\xfe,1\n", "not UTF-8 text"),
        (b"PK\x03\x04\xff\xfe", "an Excel workbook. Expected a CSV file.*save the sheet as 'CSV UTF-8'"),
        (b"a,b, a\n1,2,3\n", "columns a are there more than once"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "no CSV file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(AdapterError, match=rf"t\.csv: .*{message}"):
        read_table(tmp_path / "t.csv", ("a", "b"))


def row(path: Path, image_id: str, **more: object) -> dict[str, object]:
    return {
        **{"patient_id": "p", "exam_id": "p", "image_id": image_id, "laterality": "L", "view": "CC"},
        **{"path": str(path)},
        **more,
    }


def test_rows_without_a_file_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    there = tmp_path / "there.png"
    there.touch()
    rows = [row(tmp_path / "away.png", "x"), row(there, "y", malignant=1, scanner="A"), row(tmp_path / "away.png", "z")]
    manifest = to_manifest(rows, tmp_path, tmp_path / "out" / "masks")
    assert manifest.table[["image_id", "malignant", "scanner"]].to_numpy().tolist() == [["y", 1, "A"]]
    assert manifest.path == tmp_path / "out" / "manifest.csv"
    assert "2 images of the tables have no file and are left out: x, z" in caplog.text
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        to_manifest(rows[:1], tmp_path, tmp_path / "masks")


def test_contradictions_are_the_manifests(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    rows = [row(tmp_path / "a.png", "x", malignant=1), row(tmp_path / "a.png", "y", malignant=0)]
    with pytest.raises(ManifestError, match="malignant differs between images of the same breast"):
        to_manifest(rows, tmp_path, tmp_path / "masks")


def test_tell_names_the_first_and_says_nothing_about_none(caplog: pytest.LogCaptureFixture) -> None:
    tell("%s: %d things: %s", Path("r"), [])
    assert not caplog.records
    tell("%s: %d things: %s", Path("r"), range(7, 0, -1))
    assert caplog.record_tuples[0][1:] == (logging.WARNING, "r: 7 things: 1, 2, 3, 4, 5 ...")
