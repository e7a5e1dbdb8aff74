"""Tables of data sets: read as they come, refused with a reason, incomplete ones too."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mammoseg.ingest.omissions import Omissions
from mammoseg.ingest.tables import AdapterError, check_rows, read_columns, read_table


def test_cells_are_stripped_text_with_spreadsheet_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('\ufeffid ,a path\n007," x\n"\n\n ,\n8,y\n', encoding="utf-8")
    table = read_table(path, ("id", "a path"), Omissions())
    assert table.to_dict("index") == {2: {"id": "007", "a path": "x"}, 5: {"id": "8", "a path": "y"}}


def test_other_separators(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1,5;2\n")
    assert read_table(tmp_path / "t.csv", ("a", "b"), Omissions(), ";").loc[2].tolist() == ["1,5", "2"]


def test_rows_of_another_length_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    left_out = Omissions()
    assert read_table(tmp_path / "t.csv", ("a",), left_out)["a"].tolist() == ["1"]
    assert [entry.item for entry in left_out.entries] == ["row 3", "row 4"]
    assert "2 rows left out" in caplog.text
    assert "rows 3, 4" in caplog.text


def test_columns_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,,b,\n1,x,2,\n")
    assert read_table(tmp_path / "t.csv", ("a",), Omissions()).to_dict("index") == {2: {"a": "1", "b": "2"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n", "the table has a header and no rows"),
        (b"a,b\n,\n\n", "the table has a header and no rows"),
        (b"a,b\n1,2\n3", "the table ends in the middle of row 3, after 1 of 2 cells"),
        (b'a,b\n1,2\n3,"4', "a quote is never closed"),
        (b"a,b\n1,\0\n", "holds zero bytes"),
        (None, "cannot be read .*Expected a table of the data set with the columns a, b"),
        (b"", "columns a, b are missing; there are none"),
        (b"a;b\n1;2\n", "columns a, b are missing; there are a;b. They are separated by ';'"),
        (b"a,c\n", "columns b are missing; there are a, c"),
        (b"a,b\n\xff\xfe,1\n", "not UTF-8 text"),
        (b"PK\x03\x04\xff\xfe", "an Excel workbook. Expected a CSV file.*Save the sheet as 'CSV UTF-8'"),
        (b"a,b, a\n1,2,3\n", "columns a are there more than once"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "no CSV file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(AdapterError, match=rf"t\.csv: .*{message}"):
        read_table(tmp_path / "t.csv", ("a", "b"), Omissions())


def test_quotes_within_a_cell_are_taken_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n"1" x,2\n')
    assert read_table(tmp_path / "t.csv", ("a",), Omissions()).loc[2].tolist() == ["1 x", "2"]


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "t.csv")
    with pytest.raises(AdapterError, match=r"t\.csv: the table cannot be read \("):
        read_table(tmp_path / "t.csv", ("a",), Omissions())
    with pytest.raises(AdapterError, match=r"t\.csv: not a readable CSV file \("):
        read_columns(tmp_path / "t.csv", ("a",), ())


def test_a_repeated_row_counts_once_and_a_contradiction_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    rows = [["a", "b"], ["1", "x"], ["2", "y"], ["1", "x "]]
    left_out = Omissions()
    assert check_rows(Path("t.csv"), rows, ("a",), left_out, unique=("a",))["b"].tolist() == ["x", "y"]
    assert "t.csv: 1 rows repeat an earlier row, which counts once: rows 4" in caplog.text
    assert not left_out.entries
    with pytest.raises(AdapterError, match=r"t\.csv: rows 2, 4, 5 have the same a and differ"):
        check_rows(Path("t.csv"), [*rows, ["1", "z"]], ("a",), Omissions(), unique=("a",))


def test_fewer_rows_than_published(caplog: pytest.LogCaptureFixture) -> None:
    left_out = Omissions()
    for published in (3, 2, None):
        check_rows(Path("t.csv"), [["a"], ["1"], ["2"]], (), left_out, published=published)
    [entry] = left_out.entries
    assert entry.item == "1 rows"
    assert caplog.messages == ["t.csv: 2 of 3 published rows: it is cut off, or a part"]


def test_columns_of_a_large_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\ufeffa,b,c\n007,x,\n8,y , 1.0\n", encoding="utf-8")
    table = read_columns(tmp_path / "t.csv", ("a",), ("c", "d"))
    assert table.to_dict("index") == {2: {"a": "007", "c": ""}, 3: {"a": "8", "c": "1.0"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable CSV file"),
        (b"a,c\n1,2\n", "the columns b are missing"),
        (b"a;b\n1;2\n", "the columns a, b are missing"),
        (b"a,b\n", "the table has a header and no rows"),
        (b"a,b\n1,2\n3", r"not a readable CSV file \(it ends in the middle of a row"),
    ],
)
def test_other_large_tables_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(AdapterError, match=rf"t\.csv: {message}"):
        read_columns(tmp_path / "t.csv", ("a", "b"), ())
