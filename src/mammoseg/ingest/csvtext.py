"""CSV files as spreadsheets write them, as rows of text: any usual encoding, and commas, semicolons or tabs."""

import codecs
import csv
import io
import logging
from pathlib import Path

logger = logging.getLogger(__name__)

SEPARATORS = ",;\t|"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LOOKED_AT = 1_000  # bytes that tell UTF-16 without a mark


class CsvError(ValueError):
    """A file that is no CSV file."""


def read_csv_rows(path: Path, content: bytes) -> list[list[str]]:
    """The rows of a CSV file, row n as a spreadsheet counts them as entry n - 1. Raises CsvError.

    The separator is the one that cuts most of the rows like the first of them that it cuts at all. A first line `sep=;`,
    which Excel understands, is an empty row.
    """
    text = _decode(path, content)
    first, _, rest = text.partition("\n")
    stated = first.strip().lower().removeprefix("sep=") if first.lower().startswith("sep=") else None
    if stated is not None:
        text = "\n" + rest
    separators = stated if stated and len(stated) == 1 else SEPARATORS
    try:
        return max((_parse(text, separator) for separator in separators), key=_likeness)
    except csv.Error as error:
        raise CsvError(
            f"{path}: no CSV file ({error}). Expected a table as text. Save it as 'CSV UTF-8', or give the .xlsx."
        ) from None


def _decode(path: Path, content: bytes) -> str:
    """UTF-8, UTF-16 with or without mark, else Windows-1252, which is Latin-1 with more letters."""
    encoding = next((name for mark, name in _UTF_16.items() if content.startswith(mark)), None)
    start = content[:_LOOKED_AT]
    if encoding is None and b"\0" in start:
        encoding = "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0" if encoding else content.decode("cp1252", "replace")
        if not encoding:
            logger.warning("%s: not UTF-8, read as Windows-1252 (Latin-1): look at letters with accents", path)
    if "\0" in text:
        raise CsvError(f"{path}: not a text file. Expected CSV or .xlsx. Save the table as 'CSV UTF-8'.")
    return text


def _parse(text: str, separator: str) -> list[list[str]]:
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=None), delimiter=separator)]


def _likeness(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows are as long as the first one of several cells, and how long that is."""
    lengths = [len(row) for row in rows if any(row)]
    header = next((length for length in lengths if length > 1), 0)
    return (lengths.count(header), header) if header else (0, 0)
