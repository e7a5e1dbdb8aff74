"""Tables: header and rows by the numbers of a spreadsheet, from whatever programs write; refused with a reason."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from mammoseg.ingest.tables import Table, TableError, read_columns, read_table

ROWS = [["Müller", "Side"], ["0012", "L"]]


def read(tmp_path: Path, content: str | bytes) -> Table:
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(tmp_path / "t.csv")


def test_rows_by_their_numbers(tmp_path: Path) -> None:
    found = read(tmp_path, '\ufeffid ,a path\n007," x\n"\n\n ,\n8,y\n')
    assert found.columns == ["id", "a path"]
    assert found.rows == {2: {"id": "007", "a path": "x"}, 5: {"id": "8", "a path": "y"}}
    assert found.column("a path") == ["x", "y"]


def test_a_workbook_with_a_title_and_short_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Labels of 2024"], [], ["a", "b", None], ["1"], [None, 2]):
        book.active.append(row)
    book.save(tmp_path / "t.csv")  # whatever it is called
    assert read_table(tmp_path / "t.csv").rows == {4: {"a": "1", "b": ""}, 5: {"a": "", "b": "2"}}


def test_cells_beyond_the_header_and_columns_without_a_name(tmp_path: Path) -> None:
    found = read(tmp_path, "a,,b,\n1,x,2,,,\n")
    assert (found.columns, found.column("b")) == (["a", "b"], ["2"])
    assert read(tmp_path, "").columns == []


def test_rows_of_another_length(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert (list(found.rows), found.misfits) == ([2, 5], [3, 4])


def test_what_nobody_sees_is_no_part_of_a_cell(tmp_path: Path) -> None:
    text = 'a\x1b[2J,b\u200b\n"P1\n x\u00a0y", \u202e7\u00ad\u00a0\n\u200b\x07,\n'
    assert read(tmp_path, text).rows == {2: {"a[2J": "P1  x y", "b": "7"}}


def test_quotes_within_a_cell_are_taken_as_they_stand(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b\n"1" x,2\n').rows[2] == {"a": "1 x", "b": "2"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "big endian with mark"]
)
def test_as_programs_write_them(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "".join(f"{separator.join(row)}\r\n" for row in ROWS)
    marked = codecs.BOM_UTF16_BE + text.encode("utf-16-be")
    content = marked if encoding.startswith("big") else text.encode(encoding)
    assert read(tmp_path, content).rows == {2: {"Müller": "0012", "Side": "L"}}


def test_another_encoding_than_utf_8_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, "Müller,Side\n".encode("cp1252"))
    assert "read as Windows-1252" in caplog.text
    caplog.clear()
    read(tmp_path, "Müller,Side\n")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id;size\n1;0,2\n2;0,3\n", {2: {"id": "1", "size": "0,2"}, 3: {"id": "2", "size": "0,3"}}),
        ("a title\nid,b\n1,x;y\n", {3: {"id": "1", "b": "x;y"}}),
        ("sep=;\nid;b\n1;2\n", {3: {"id": "1", "b": "2"}}),
        ('id,b\n"1, 2",x\n\n3,4\n', {2: {"id": "1, 2", "b": "x"}, 4: {"id": "3", "b": "4"}}),
        ('id,b\n"1;2",";"\n', {2: {"id": "1;2", "b": ";"}}),
        ("id\n1\n", {2: {"id": "1"}}),
        ("id,b\r1,2\r", {2: {"id": "1", "b": "2"}}),
        ("", {}),
    ],
)
def test_separators_and_rows(tmp_path: Path, text: str, rows: dict[int, dict[str, str]]) -> None:
    assert read(tmp_path, text).rows == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3", "the table ends in the middle of row 3, after 1 of 2 cells"),
        (b'a,b\n1,2\n3,"4', "a quote is never closed"),
        (b"a,b\n1,\0\n", "holds zero bytes"),
        (b"a,b\n\0\0\0\0\xff\xff", "not a text file"),
        (bytes(range(256)) * 9, "not a text file"),
        (b"a,b, a\n1,2,3\n", "columns a are there more than once"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "no CSV file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(TableError, match=rf"t\.csv: .*{message}"):
        read(tmp_path, content)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "t.csv")
    with pytest.raises(TableError, match=r"t\.csv: the table cannot be read \("):
        read_table(tmp_path / "t.csv")
    with pytest.raises(TableError, match=r"t\.csv: not a readable CSV file \("):
        read_columns(tmp_path / "t.csv", ("a",), ())


def test_large_files_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(TableError, match=r"it has more than 100 MB"):
        read_table(tmp_path / "sparse")
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "missing")


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
    with pytest.raises(TableError, match=rf"t\.csv: {message}"):
        read_columns(tmp_path / "t.csv", ("a", "b"), ())
