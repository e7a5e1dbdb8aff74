"""Workbooks: cells as a person sees them, the sheet that holds the table, and hostile or foreign files refused."""

import io
import logging
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mammoseg.ingest import workbook
from mammoseg.ingest.workbook import WorkbookError, is_workbook, read_workbook

PATH = Path("labels.xlsx")


def made(*sheets: Sequence[Sequence[Any]], change: Callable[[Any], None] = lambda _: None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(list(row))
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(content: bytes, **changed: bytes) -> bytes:
    """With other or further parts, named by their last name."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()}
        for name, part in changed.items():
            place = next((p for p in parts if p.endswith(f"/{name}.xml")), f"xl/{name}.bin")
            parts[place] = part
        for place, part in parts.items():
            new.writestr(place, part)
    return file.getvalue()


def test_cells_are_what_a_person_sees() -> None:
    row = ["  P1  x\n", 12, 1.0, 0.07, True, datetime(2024, 1, 31), date(2024, 1, 31), None, datetime(2024, 1, 31, 9)]
    assert read_workbook(PATH, made([["a"], row]))[1] == [
        *["P1  x", "12", "1", "0.07", "true", "2024-01-31", "2024-01-31", "", "2024-01-31T09:00:00"]
    ]


def test_zeros_in_front_that_only_the_format_shows() -> None:
    def shown(book: Any) -> None:
        book.worksheets[0]["A2"].number_format = "0000"
        book.worksheets[0]["B2"].number_format = "0.00"

    assert read_workbook(PATH, made([["a", "b"], [12, 12]], change=shown))[1] == ["0012", "12"]


def test_rows_keep_their_numbers_and_a_wrong_size_is_not_believed() -> None:
    content = made([["a", "b"], [], [None, "x"]])
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
    lying = repacked(content, sheet1=sheet.replace(b'ref="A1:B3"', b'ref="A1:A1"'))
    assert lying != content
    for file in (content, lying):
        assert read_workbook(PATH, file) == [["a", "b"], [], ["", "x"]]


def test_the_first_sheet_with_rows_is_read_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert read_workbook(PATH, made([], [["notes"]], [["a"], ["1"]]))[1] == ["1"]
    assert not caplog.records
    assert read_workbook(PATH, made([], [["a"], ["1"]], [["b"], ["2"]]))[1] == ["1"]
    assert "2 sheets have rows: sheet 2, 'Sheet 2', is read" in caplog.text


def test_formulas_are_read_by_their_values() -> None:
    content = made([["a", "b"], ["x", "=1+1"]])
    with pytest.raises(WorkbookError, match="1 cells hold formulas whose results were not saved"):
        read_workbook(PATH, content)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
    saved = repacked(content, sheet1=sheet.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"))
    assert read_workbook(PATH, saved)[1] == ["x", "2"]


def test_empty_workbooks() -> None:
    with pytest.raises(WorkbookError, match="none of the 2 sheets has a header and rows"):
        read_workbook(PATH, made([], [["a", "b"]]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 99, "an old workbook .* or one with a password"),
        (b"PK\x03\x04" + b"x" * 99, "the workbook is damaged"),
        (made([["a"], ["1"]])[:-60], "the workbook is damaged"),
        (repacked(made([["a"], ["1"]]), vbaProject=b"x"), "holds macros"),
        (repacked(made([["a"], ["1"]]), sheet1=b"<worksheet>"), "the workbook is damaged"),
        (repacked(made([["a"], ["1"]]), sheet1=b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'), "defines XML entities"),
        (repacked(made([["a"], ["1"]]), sheet1="<!DOCTYPE x><x/>".encode("utf-16")), "defines XML entities"),
        (repacked(made([["a"], ["1"]]), bomb=bytes(101_000_000)), "unpacks to 101 MB in"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    assert is_workbook(content)
    with pytest.raises(WorkbookError, match=rf"^labels\.xlsx: .*{message}.*Save the"):
        read_workbook(PATH, content)


def test_other_zip_files_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("content.xml", "")
    with pytest.raises(WorkbookError, match="no Excel workbook"):
        read_workbook(PATH, file.getvalue())


def test_huge_sheets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkbookError, match="more than 1000 columns"):
        read_workbook(PATH, made([["a"] * 1001, ["1"]]))
    monkeypatch.setattr(workbook, "_MOST_CELLS", 5)
    with pytest.raises(WorkbookError, match="5 filled cells"):
        read_workbook(PATH, made([["a", "b"], *[["1", "2"]] * 3]))


def test_a_row_far_away_ends_the_table() -> None:
    content = made([["a"], ["1"]])
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
    far = repacked(content, sheet1=sheet.replace(b'<row r="2"', b'<row r="999999999999"'))
    with pytest.raises(WorkbookError, match="none of the 1 sheets"):
        read_workbook(PATH, far)
