"""The tables that come with data sets: read as text and checked for their columns; rows -> a manifest."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.data.csvtext import SEPARATORS
from mammoseg.data.manifest import Manifest
from mammoseg.data.workbook import is_workbook

logger = logging.getLogger(__name__)

_SHOWN = 5


class AdapterError(ValueError):
    """A data set folder that cannot be turned into a manifest."""


def read_table(path: Path, columns: Sequence[str], separator: str = ",") -> pd.DataFrame:
    """A CSV file as text: header and cells stripped, empty cells "". The index is the row number of a spreadsheet.

    Raises AdapterError if the file is missing, is not text, lacks one of `columns`, or has one twice; a row of another
    length than the header is left out with a warning, for a published table is not ours to correct.
    """
    header, rows = _cells(path, columns, separator)
    fitting = {n: r for n, r in rows.items() if len(r) == len(header)}
    tell("%s: %d rows left out, their number of cells is not that of the header: rows %s", path, rows.keys() - fitting)
    return _frame(header, fitting)


def _cells(path: Path, columns: Sequence[str], separator: str) -> tuple[list[str], dict[int, list[str]]]:
    """The header, and the rows that are not empty by their number."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AdapterError(
            f"{path}: the table cannot be read ({error.strerror}). Expected a table of the data set with the columns "
            f"{', '.join(columns)}. Give the folder as it was published."
        ) from None
    except UnicodeDecodeError:
        what = "an Excel workbook" if is_workbook(path.read_bytes()[:4]) else "not UTF-8 text"
        raise AdapterError(
            f"{path}: {what}. Expected a CSV file. Take the table as it was published, or save the sheet as 'CSV UTF-8'."
        ) from None
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise AdapterError(f"{path}: no CSV file ({error}). Take the table as it was published.") from None
    header = [name.strip() for name in records[0]] if records else []
    if missing := [name for name in columns if name not in header]:
        other = next((mark for mark in SEPARATORS if len(header) == 1 and mark in header[0]), None)
        saved = f" They are separated by {other!r}, as a spreadsheet program saves them." if other else ""
        raise AdapterError(
            f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(header) or 'none'}.{saved} Expected "
            f"them separated by {separator!r}. Take the table as it was published."
        )
    if twice := [name for name, count in Counter(header).items() if count > 1 and name]:
        raise AdapterError(
            f"{path}: the columns {', '.join(twice)} are there more than once. Expected each once: it is not known which "
            "of them counts. Remove or rename the others."
        )
    rows = {n: [c.strip() for c in r] for n, r in enumerate(records[1:], start=2) if any(c.strip() for c in r)}
    return header, rows


def _frame(header: list[str], rows: Mapping[int, list[str]]) -> pd.DataFrame:
    """Without columns that have no name, of which spreadsheets write several."""
    table = pd.DataFrame(rows.values(), index=list(rows), columns=header, dtype=object)
    return table.loc[:, table.columns != ""]


def tell(message: str, path: Path, items: Any) -> None:
    """Warn of `items` left out, if there are any: `message` takes the path, how many, and the first of them."""
    listed = sorted(items)
    if listed:
        more = " ..." if len(listed) > _SHOWN else ""
        logger.warning(message, path, len(listed), ", ".join(map(str, listed[:_SHOWN])) + more)


def to_manifest(rows: Sequence[Mapping[str, Any]], root: Path, masks: Path) -> Manifest:
    """The rows (columns of a manifest, further ones kept) whose image file exists, in their order.

    The manifest belongs beside the folder of the masks. Raises AdapterError if there is no image at all, ManifestError
    for rows that contradict each other.
    """
    there = [row for row in rows if Path(row["path"]).is_file()]
    tell(
        "%s: %d images of the tables have no file and are left out: %s",
        root,
        {r["image_id"] for r in rows} - {r["image_id"] for r in there},
    )
    if not there:
        raise AdapterError(
            f"{root}: none of the {len(rows)} images of the tables is there. Expected the folder of the data set with "
            "its images in it. Check the path, or whether the images have been downloaded and unpacked."
        )
    return Manifest.from_table(pd.DataFrame(there), masks.parent / "manifest.csv")
