"""Tables as CSV text that a spreadsheet takes for what it is: no cell is a formula, and what we read back is what was written.

A text that begins with = + - @, a tab or a carriage return is run by spreadsheets, and an image file can bring one in by its
name. It gets an apostrophe in front, which they do not show; so does a text that already looks like that, so that reading is
the exact opposite. Numbers, negative ones too, stay as they are.
"""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.io.atomic import write_text

_RUN = re.compile(r"'*[=+\-@\t\r]", re.DOTALL)
_ESCAPED = re.compile(r"'+[=+\-@\t\r]", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def utf8_text(content: bytes) -> str:
    """The text of a CSV file. Raises ValueError for another file, which says what it is, what is expected and what to do."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError("this is an Excel workbook. Expected a CSV file. Save the sheet as 'CSV UTF-8' (commas)")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"not UTF-8 text (byte {error.start}, row {row}). Expected a CSV file in UTF-8. Save it as 'CSV UTF-8', or convert it "
            "with iconv"
        ) from None
    if "\0" in text:
        raise ValueError("holds zero bytes. Expected a CSV file. Copy or download it again")
    return text


def csv_text(table: pd.DataFrame) -> str:
    """The table with its header, without its index, as CSV with Unix line ends; texts and names of columns escaped."""
    safe = _changed(table, escape)
    if (
        _texts(safe).map(lambda cell: isinstance(cell, str) and "\r" in cell).any(axis=None)
    ):  # csv would not quote these
        return safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return safe.to_csv(index=False, lineterminator="\n")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write `csv_text`, whole or not at all."""
    write_text(path, csv_text(table))


def unescaped(table: pd.DataFrame) -> pd.DataFrame:
    """What was a text before `csv_text` wrote it, in all cells and names of columns; other values stay."""
    return _changed(table, unescape)


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that may hold texts: of the others there may be millions of cells."""
    return table.loc[:, [kind.kind not in "biuf" for kind in table.dtypes]]


def _changed(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    changed = table.copy(deep=False)
    for place, kind in enumerate(table.dtypes):
        if kind.kind not in "biuf":
            changed.isetitem(place, table.iloc[:, place].map(change).array)
    return changed.rename(columns=change)


def escape(cell: Any) -> Any:
    """A text as it is written; any other value stays."""
    if isinstance(cell, str) and _RUN.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def unescape(cell: Any) -> Any:
    """The opposite of `escape`."""
    return cell[1:] if isinstance(cell, str) and _ESCAPED.match(cell) else cell
