"""The tables that come with data sets: read as text and checked for their columns and rows."""

import csv
import io
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mammoseg.bounded import open_regular, read_bounded
from mammoseg.ingest.csvtext import SEPARATORS
from mammoseg.ingest.omissions import Omissions, tell
from mammoseg.io.cells import utf8_text
from mammoseg.wording import listed

_WIDTH = 300
_LOOKED_AT = 1_000_000  # bytes of a large table


class AdapterError(ValueError):
    """A data set folder that cannot be turned into a manifest."""


def read_table(
    path: Path,
    columns: Sequence[str],
    left_out: Omissions,
    separator: str = ",",
    unique: Sequence[str] = (),
    published: int | None = None,
) -> pd.DataFrame:
    """`check_rows` of a CSV file in UTF-8. Raises AdapterError if it is missing or no such file, or as `check_rows`."""
    records = _records(path, _text(path, columns), separator)
    header = [name.strip() for name in records[0]] if records else []
    if missing := [name for name in columns if name not in header]:
        other = next((mark for mark in SEPARATORS if len(header) == 1 and mark in header[0]), None)
        saved = f" They are separated by {other!r}, as a spreadsheet program saves them." if other else ""
        raise AdapterError(
            f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(header)[:_WIDTH] or 'none'}.{saved} "
            f"Expected them separated by {separator!r}. Take the table as it was published."
        )
    return check_rows(path, records, columns, left_out, unique, published)


def check_rows(
    path: Path,
    records: Sequence[Sequence[str]],
    columns: Sequence[str],
    left_out: Omissions,
    unique: Sequence[str] = (),
    published: int | None = None,
) -> pd.DataFrame:
    """Header and rows as a table of stripped text, empty cells "". The index is the row number of a spreadsheet.

    A row of another length than the header is left out, for a published table is not ours to correct; so are rows fewer
    than were `published`. Rows that have the same cells in the columns `unique` must be equal: one of them stays.

    Raises AdapterError if a column is missing or there twice, if there is no row, the last one is incomplete, or rows
    contradict each other in `unique`.
    """
    header = [name.strip() for name in records[0]] if records else []
    if missing := [name for name in columns if name not in header]:
        raise AdapterError(
            f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(header)[:_WIDTH] or 'none'}. "
            "Expected those of the published table. Download it again."
        )
    if twice := [name for name, count in Counter(header).items() if count > 1 and name]:
        raise AdapterError(
            f"{path}: the columns {', '.join(twice)} are there more than once. Expected each once: it is not known which "
            "of them counts. Remove or rename the others."
        )
    rows = {n: [c.strip() for c in r] for n, r in enumerate(records[1:], start=2) if any(c.strip() for c in r)}
    _check_end(path, header, rows)
    fitting = {n: r for n, r in rows.items() if len(r) == len(header)}
    if not fitting:
        raise AdapterError(
            f"{path}: none of {len(rows)} rows has {len(header)} cells, as the header has. Expected a row per image or finding. "
            "Take the table as it was published."
        )
    left_out.add(path, "rows left out, their number of cells is not that of the header", rows.keys() - fitting)
    left_out.add_missing_rows(path, len(rows), published)
    kept = _without_repeated(path, header, fitting, unique)
    table = pd.DataFrame(kept.values(), index=list(kept), columns=header, dtype=object)
    return table.loc[:, table.columns != ""]  # spreadsheets write columns without a name


def read_columns(path: Path, needed: Sequence[str], also: Sequence[str]) -> pd.DataFrame:
    """Of a table too large to be kept whole, these columns as stripped text; the index as that of `check_rows`.

    Raises AdapterError if the file is no CSV file, lacks one of `needed`, has no rows, or ends in the middle of one.
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
        reason = error if isinstance(error, AdapterError) else type(error).__name__
        raise AdapterError(
            f"{path}: not a readable CSV file ({reason}). Expected the table as it was published. Download it again."
        ) from None
    missing = [name for name in needed if name not in table]
    if missing or table.empty:
        problem = f"the columns {', '.join(missing)} are missing" if missing else "the table has a header and no rows"
        raise AdapterError(f"{path}: {problem}. Expected the table as it was published. Download it again.")
    table.index += 2
    return table.apply(lambda column: column.str.strip())


def _check_ends(path: Path) -> None:
    """A row that is cut off is filled up by pandas, and a file of zeros read to its end."""
    with open_regular(path) as file:
        start = file.read(_LOOKED_AT)
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        if start and file.read() not in (b"\n", b"\r"):
            raise AdapterError("it ends in the middle of a row, it is cut off")
    if b"\0" in start:
        raise AdapterError("it holds zero bytes")


def _check_end(path: Path, header: list[str], rows: Mapping[int, list[str]]) -> None:
    if not rows:
        raise AdapterError(
            f"{path}: the table has a header and no rows. Expected a row per image or finding. Copy or download it again."
        )
    last = max(rows)
    if len(rows[last]) < len(header):
        raise AdapterError(
            f"{path}: the table ends in the middle of row {last}, after {len(rows[last])} of {len(header)} cells. Expected "
            "whole rows: the file is cut off. Copy or download it again."
        )


def _without_repeated(
    path: Path, header: list[str], rows: dict[int, list[str]], unique: Sequence[str]
) -> dict[int, list[str]]:
    if not unique:
        return rows
    places = [header.index(name) for name in unique]
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, row in rows.items():
        same[tuple(row[place] for place in places)].append(number)
    for numbers in same.values():
        if any(rows[number] != rows[numbers[0]] for number in numbers):
            raise AdapterError(
                f"{path}: rows {listed(numbers)} have the same {' and '.join(unique)} and differ. "
                "Expected one row for each. Delete what is wrong, or take the table as it was published."
            )
    repeated = {number for numbers in same.values() for number in numbers[1:]}
    tell("%s: %d rows repeat an earlier row, which counts once: rows %s", path, repeated)
    return {number: row for number, row in rows.items() if number not in repeated}


def _text(path: Path, columns: Sequence[str]) -> str:
    try:
        data = read_bounded(path)
    except OSError as error:
        raise AdapterError(
            f"{path}: the table cannot be read ({error.strerror}). Expected a table of the data set with the columns "
            f"{', '.join(columns)}. Give the folder as it was published."
        ) from None
    except ValueError as error:
        raise AdapterError(f"{path}: no table ({error}). Expected a CSV file. Copy or download it again.") from None
    try:
        return utf8_text(data)
    except ValueError as error:
        raise AdapterError(f"{path}: {error}, or take the table as it was published.") from None


def _records(path: Path, text: str, separator: str) -> list[list[str]]:
    """Quotes within a cell are taken as they stand; one that is never closed would swallow the rows after it."""
    strict = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return list(strict)
    except csv.Error as error:
        problem = "a quote is never closed" if "unexpected end of data" in str(error) else None
    try:
        if problem is None:
            return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        problem = str(error)
    raise AdapterError(
        f"{path}: no CSV file ({problem}, near line {strict.line_num}). Expected rows of cells separated by {separator!r}. "
        "Take the table as it was published."
    )
