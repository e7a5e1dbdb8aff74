"""Tables as people have them: CSV in any usual encoding and with any usual separator, or Excel workbooks (ingest/workbook.py).

What comes before the first row with two filled cells is a title; that row is the header.
"""

import codecs
import csv
import io
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mammoseg.bounded import open_regular, read_bounded
from mammoseg.ingest.workbook import is_workbook, read_workbook

logger = logging.getLogger(__name__)

_LARGEST_MB = 100
_SEPARATORS = ",;\t|"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_START = 1_000  # bytes that tell UTF-16 without a mark
_LOOKED_AT = 1_000_000  # bytes of a large table


class TableError(ValueError):
    """A file that is no table, or a table that cannot be used; the message names rows and columns, never what is in cells."""


@dataclass(frozen=True)
class Table:
    """Cells as text without white space around it; empty ones are ""."""

    path: Path
    columns: Sequence[str]
    """Their names, those of no name left out."""
    rows: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Cells by column of every row that is not empty, numbered as in a spreadsheet."""
    misfits: Sequence[int] = ()
    """Rows of another length than the header, which are not in `rows`."""

    def column(self, name: str) -> list[str]:
        """All cells of a column."""
        return [cells[name] for cells in self.rows.values()]


def read_table(path: Path) -> Table:
    """The table in a file, whatever it is called.

    Raises TableError if the file cannot be read, is no table, has a column twice or ends in the middle of a row, WorkbookError
    for a workbook that cannot be read.
    """
    content = _read(path)
    workbook = is_workbook(content)
    records = read_workbook(path, content) if workbook else _csv_rows(path, content)
    rows = {number: [*map(_clean, row)] for number, row in enumerate(records, start=1)}
    rows = {number: row for number, row in rows.items() if any(row)}
    first = next((number for number, row in rows.items() if sum(map(bool, row)) > 1), min(rows, default=0))
    header = _trimmed(rows.get(first, []), 0)
    if twice := [name for name, count in Counter(header).items() if count > 1 and name]:
        raise TableError(
            f"{path}: the columns {', '.join(twice)} are there more than once. Expected each once: it is not known which "
            "of them counts. Remove or rename the others."
        )
    below = {number: _trimmed(row, len(header)) for number, row in rows.items() if number > first}
    if workbook:  # a sheet has no end of a row: cells that are not there are empty
        below = {number: row + [""] * (len(header) - len(row)) for number, row in below.items()}
    elif below and len(below[max(below)]) < len(header):
        raise TableError(
            f"{path}: the table ends in the middle of row {max(below)}, after {len(below[max(below)])} of {len(header)} cells. "
            "Expected whole rows: the file is cut off. Copy or download it again, or fill in the row."
        )
    named = {n: dict(zip(header, row, strict=True)) for n, row in below.items() if len(row) == len(header)}
    return Table(path, [n for n in header if n], named, [number for number in below if number not in named])


def read_columns(path: Path, needed: Sequence[str], also: Sequence[str]) -> pd.DataFrame:
    """Of a CSV file too large to be kept whole, these columns as stripped text; the index is the number of the row.

    Raises TableError if the file is no CSV file, lacks one of `needed`, has no rows, or ends in the middle of one.
    """
    try:
        _check_ends(path)
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            usecols=lambda name: name in {*needed, *also},
            encoding_errors="replace",
        )
    except (ValueError, OSError) as error:
        reason = error if isinstance(error, TableError) else type(error).__name__
        raise TableError(
            f"{path}: not a readable CSV file ({reason}). Expected the table as it was published. Download it again."
        ) from None
    missing = [name for name in needed if name not in table]
    if missing or table.empty:
        problem = f"the columns {', '.join(missing)} are missing" if missing else "the table has a header and no rows"
        raise TableError(f"{path}: {problem}. Expected the table as it was published. Download it again.")
    table.index += 2
    return table.apply(lambda column: column.str.strip())


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, _LARGEST_MB * 1_000_000)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it has more than {_LARGEST_MB} MB"
        raise TableError(
            f"{path}: the table cannot be read ({why}). Expected .xlsx or CSV of at most {_LARGEST_MB} MB. Check path and access "
            "rights, or save the columns that are needed as 'CSV UTF-8'."
        ) from None


def _csv_rows(path: Path, content: bytes) -> list[list[str]]:
    """Row n as a spreadsheet counts them as entry n - 1.

    The separator is the one that cuts most of the rows like the first of them that it cuts at all. A first line `sep=;`,
    which Excel understands, is an empty row.
    """
    text = _decode(path, content)
    first, _, rest = text.partition("\n")
    stated = first.strip().lower().removeprefix("sep=") if first.lower().startswith("sep=") else None
    if stated is not None:
        text = "\n" + rest
    found, errors = [], []
    there = [separator for separator in _SEPARATORS if separator in text] or _SEPARATORS[:1]
    for separator in stated if stated and len(stated) == 1 else there:
        try:
            found.append(_parse(text, separator))
        except csv.Error as error:
            errors.append(error)
    best = max(found, key=_likeness, default=[])
    if errors and _likeness(best) == (0, 0):
        closed = "unexpected end of data" not in str(errors[0])
        raise TableError(
            f"{path}: no CSV file ({errors[0] if closed else 'a quote is never closed'}). Expected a table as text. Save it as "
            "'CSV UTF-8', or take it as it was published."
        )
    return best


def _decode(path: Path, content: bytes) -> str:
    """UTF-8, UTF-16 with or without mark, else Windows-1252, which is Latin-1 with more letters."""
    encoding = next((name for mark, name in _UTF_16.items() if content.startswith(mark)), None)
    start = content[:_START]
    if encoding is None and 3 * start.count(0) > len(start):
        encoding = "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0" if encoding else content.decode("cp1252", "replace")
        if "\0" not in text:
            logger.warning("%s: not UTF-8, read as Windows-1252 (Latin-1): look at letters with accents", path)
    if "\0" in text:
        raise TableError(
            f"{path}: not a text file (it holds zero bytes). Expected CSV or .xlsx. Save the table as 'CSV UTF-8', or download "
            "it again."
        )
    return text


def _parse(text: str, separator: str) -> list[list[str]]:
    """Quotes within a cell are taken as they stand; one that is never closed would swallow the rows after it."""
    try:
        return list(csv.reader(io.StringIO(text, newline=None), delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise
        return list(csv.reader(io.StringIO(text, newline=None), delimiter=separator))


def _likeness(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows are as long as the first one of several cells, and how long that is."""
    lengths = [len(row) for row in rows if any(cell.strip() for cell in row)]
    header = next((length for length in lengths if length > 1), 0)
    return (lengths.count(header), header) if header else (0, 0)


def _clean(cell: str) -> str:
    """Without what nobody sees: line breaks and other white space are spaces, control and joining characters go."""
    if cell.isprintable():
        return cell.strip()
    return "".join(" " if c.isspace() else c for c in cell if c.isspace() or c.isprintable()).strip()


def _trimmed(row: Sequence[str], length: int) -> list[str]:
    """Without empty cells at its end that are beyond `length`: spreadsheets like to write some."""
    end = max([length, *(number for number, cell in enumerate(row, start=1) if cell)])
    return list(row[:end])


def _check_ends(path: Path) -> None:
    """A row that is cut off is filled up by pandas, and a file of zeros read to its end."""
    with open_regular(path) as file:
        start = file.read(_LOOKED_AT)
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        if start and file.read() not in (b"\n", b"\r"):
            raise TableError("it ends in the middle of a row, it is cut off")
    if b"\0" in start:
        raise TableError("it holds zero bytes")
