"""Excel workbooks (.xlsx) as rows of text: what a person sees in the cells, never their formulas.

A small file can unpack to gigabytes, so its sizes are checked before any of it is parsed, and what is no plain table
(macros, passwords, document type definitions) is refused.
"""

import io
import itertools
import logging
import re
import warnings
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl

logger = logging.getLogger(__name__)

_MEGA = 1_000_000
_MOST_UNPACKED = 100 * _MEGA  # bytes
_MOST_PARTS = 2_000  # files in the zip file
_MOST_CELLS = 2 * _MEGA
_MOST_COLUMNS = 1_000
_LAST_ROW = 1_048_576  # of any sheet
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_FORMULA = re.compile(
    rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)(\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</)?"
)
"""A formula in the XML of a sheet; the group is what follows if its result was not saved."""
_SAVE = "Save the sheet in a spreadsheet program as a plain workbook (.xlsx) without password, or as 'CSV UTF-8'."


class WorkbookError(ValueError):
    """A workbook that cannot be read as a table; the message never quotes a cell."""


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a workbook, or something else that is packed like one."""
    return start.startswith((_ZIP, _OLE))


def read_workbook(path: Path, content: bytes) -> list[list[str]]:
    """The rows of the first sheet that has a header and a row, as text; row n of the sheet is entry n - 1.

    `content` is that of the file `path`. Whole numbers have no decimal point, or the zeros in front that their format
    shows; dates are ISO dates. Raises WorkbookError.
    """
    _check_parts(path, content)
    try:
        with warnings.catch_warnings():  # of formats and extensions that are not used here
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False, data_only=True)
            return _first_table(path, book.worksheets)
    except WorkbookError:
        raise
    except Exception as error:  # openpyxl passes on whatever zip and XML raise
        raise WorkbookError(
            f"{path}: the workbook is damaged ({type(error).__name__}). Expected an Excel file. {_SAVE}"
        ) from None


def _check_parts(path: Path, content: bytes) -> None:
    """What can be known before anything is parsed. zipfile never unpacks more than the size that a file states."""
    if content.startswith(_OLE):
        raise WorkbookError(
            f"{path}: this is an old workbook (.xls) or one with a password. Expected .xlsx or CSV. {_SAVE}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            unpacked = sum(part.file_size for part in parts)
            if unpacked > _MOST_UNPACKED or len(parts) > _MOST_PARTS:
                raise WorkbookError(
                    f"{path}: the workbook unpacks to {unpacked // _MEGA} MB in {len(parts)} parts. Expected at most "
                    f"{_MOST_UNPACKED // _MEGA} MB in {_MOST_PARTS}. Save the one sheet with the labels as 'CSV UTF-8'."
                )
            names = [part.filename for part in parts]
            if "xl/workbook.xml" not in names:
                raise WorkbookError(f"{path}: this zip file is no Excel workbook. Expected .xlsx or CSV. {_SAVE}")
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise WorkbookError(f"{path}: the workbook holds macros. Expected a table without programs. {_SAVE}")
            for name in names:
                part = packed.read(name) if name.endswith((".xml", ".rels")) else b""
                if b"<!DOCTYPE" in part.replace(b"\0", b""):
                    raise WorkbookError(f"{path}: the workbook defines XML entities, as no program does. {_SAVE}")
                if "/worksheets/" in name:
                    _check_formulas(path, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise WorkbookError(
            f"{path}: the workbook is damaged ({type(error).__name__}). Expected an Excel file. {_SAVE}"
        ) from None


def _check_formulas(path: Path, sheet: bytes) -> None:
    """Programs that write formulas without their results leave cells that look empty."""
    without_result = [bool(found[1]) for found in _FORMULA.finditer(sheet)]
    if without_result and all(without_result):
        raise WorkbookError(
            f"{path}: {len(without_result)} cells hold formulas whose results were not saved. Expected values. Open the file "
            "in a spreadsheet program and save it again, or paste the column as values."
        )


def _first_table(path: Path, sheets: Sequence[Any]) -> list[list[str]]:
    found = []
    for number, sheet in enumerate(sheets, start=1):
        rows = _rows(path, sheet)
        if sum(any(row) for row in rows) > 1:
            found.append((number, sheet.title, rows))
    if not found:
        raise WorkbookError(
            f"{path}: none of the {len(sheets)} sheets has a header and rows. Expected a table. Look whether this is the "
            "right file, and whether it was saved."
        )
    number, title, rows = found[0]
    if len(found) > 1:
        text = (
            "%s: %d sheets have rows: sheet %d, %r, is read. Move another to the front, or save it as a file of its own"
        )
        logger.warning(text, path, len(found), number, title)
    return rows


def _rows(path: Path, sheet: Any) -> list[list[str]]:
    """The rows up to the last one that holds anything."""
    rows: list[list[str]] = []
    cells = 0
    sheet.reset_dimensions()  # what a file says about its size may be wrong
    for values in itertools.islice(sheet.iter_rows(), _LAST_ROW):
        rows.append([_text(cell) for cell in values])
        cells += sum(map(bool, rows[-1]))
        if len(values) > _MOST_COLUMNS or cells > _MOST_CELLS:
            raise WorkbookError(
                f"{path}: a sheet has more than {_MOST_COLUMNS} columns or {_MOST_CELLS} filled cells. Expected a table of "
                "labels. Save the columns that are needed as 'CSV UTF-8'."
            )
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        zeros = cell.number_format if re.fullmatch("0+", cell.number_format or "") else ""
        return f"{value:0{len(zeros)}d}"
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value).strip()
