"""Tables of users: header and rows by the numbers of a spreadsheet, from a workbook and from CSV alike."""

import os
from pathlib import Path

import openpyxl
import pytest

from mammoseg.ingest.own_table import TableError, read_own_table


def table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "t.csv").write_text(text)
    return tmp_path / "t.csv"


def test_rows_by_their_numbers(tmp_path: Path) -> None:
    found = read_own_table(table(tmp_path, "a,b\n1, 2 \n\n,,\n3,4\n"))
    assert found.columns == ["a", "b"]
    assert found.rows == {2: {"a": "1", "b": "2"}, 5: {"a": "3", "b": "4"}}
    assert found.column("b") == ["2", "4"]


def test_a_workbook_with_a_title_and_short_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Labels of 2024"], [], ["a", "b", None], ["1"], [None, 2]):
        book.active.append(row)
    book.save(tmp_path / "t.csv")  # whatever it is called
    found = read_own_table(tmp_path / "t.csv")
    assert found.rows == {4: {"a": "1", "b": ""}, 5: {"a": "", "b": "2"}}


def test_cells_beyond_the_header_and_columns_without_a_name(tmp_path: Path) -> None:
    found = read_own_table(table(tmp_path, "a,,b,\n1,x,2,,,\n"))
    assert (found.columns, found.column("b")) == (["a", "b"], ["2"])
    assert read_own_table(table(tmp_path, "")).columns == []


def test_what_nobody_sees_is_no_part_of_a_cell(tmp_path: Path) -> None:
    text = 'a\x1b[2J,b\u200b\n"P1\n x\u00a0y", \u202e7\u00ad\u00a0\n\u200b\x07,\n'
    assert read_own_table(table(tmp_path, text)).rows == {2: {"a[2J": "P1  x y", "b": "7"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n4,5,6\n", r"2 of 3 rows have another number .*: rows 3, 4\. Expected 2 cells"),
        ("a,b, a\n1,2,3\n", "the columns a are there more than once"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read_own_table(table(tmp_path, text))


def test_special_and_large_files_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**9)
    for name in ("pipe", "sparse"):
        with pytest.raises(TableError, match=r"no regular file|more than 100 MB"):
            read_own_table(tmp_path / name)
    with pytest.raises(TableError, match="cannot be read"):
        read_own_table(tmp_path / "missing")
