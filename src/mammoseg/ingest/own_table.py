"""A table that its user has made, an Excel workbook or a CSV file, as text: ingest/workbook.py and ingest/csvtext.py.

What comes before the first row with two filled cells is a title; that row is the header.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammoseg.bounded import read_bounded
from mammoseg.ingest.csvtext import read_csv_rows
from mammoseg.ingest.workbook import is_workbook, read_workbook
from mammoseg.wording import listed

_LARGEST_MB = 100


class TableError(ValueError):
    """A table that cannot be used; the message names rows and columns, never what is in cells."""


@dataclass(frozen=True)
class OwnTable:
    """Cells as stripped text; empty ones are ""."""

    columns: Sequence[str]
    """Their names, those of no name left out."""
    rows: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Cells by column of every row that is not empty, numbered as in a spreadsheet."""

    def column(self, name: str) -> list[str]:
        """All cells of a column."""
        return [cells[name] for cells in self.rows.values()]


def read_own_table(path: Path) -> OwnTable:
    """The table in a file.

    Raises TableError if the file cannot be read, has a column twice or, as CSV, a row of another length than the header;
    WorkbookError or CsvError for what is no table.
    """
    content = _read(path)
    workbook = is_workbook(content)
    records = read_workbook(path, content) if workbook else read_csv_rows(path, content)
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
    if wrong := [number for number, row in below.items() if len(row) != len(header)]:
        raise TableError(
            f"{path}: {len(wrong)} of {len(below)} rows have another number of cells than the header: rows "
            f"{listed(wrong)}. Expected {len(header)} cells. Correct the rows, counted as in a "
            "spreadsheet; a text with a separator stands in quotes."
        )
    named = {number: dict(zip(header, row, strict=True)) for number, row in below.items()}
    return OwnTable([name for name in header if name], named)


def _clean(cell: str) -> str:
    """Without what nobody sees: line breaks and other white space are spaces, control and joining characters go."""
    return "".join(" " if c.isspace() else c for c in cell if c.isspace() or c.isprintable()).strip()


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, _LARGEST_MB * 1_000_000)
    except ValueError:
        raise TableError(
            f"{path}: a file of more than {_LARGEST_MB} MB. Expected a table. Save the columns that are needed as .xlsx or "
            "'CSV UTF-8'."
        ) from None
    except OSError as error:
        raise TableError(
            f"{path}: the table cannot be read ({error.strerror}). Expected .xlsx or CSV. Check path and access rights."
        ) from None


def _trimmed(row: Sequence[str], length: int) -> list[str]:
    """Without empty cells at its end that are beyond `length`: spreadsheets like to write some."""
    end = max([length, *(number for number, cell in enumerate(row, start=1) if cell)])
    return list(row[:end])
