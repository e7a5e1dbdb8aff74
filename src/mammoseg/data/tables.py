"""The tables that come with data sets: read as text and checked for their columns; rows -> a manifest."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.data.manifest import Manifest

logger = logging.getLogger(__name__)

_SHOWN = 5


class AdapterError(ValueError):
    """A data set folder that cannot be turned into a manifest."""


def read_table(path: Path, columns: Sequence[str], separator: str = ",") -> pd.DataFrame:
    """A CSV file as text: header and cells stripped, empty cells "". The index is the row number of a spreadsheet.

    Raises AdapterError if the file is missing, is not text, or lacks one of `columns`; a row of another length than
    the header is left out with a warning.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AdapterError(
            f"{path}: the table cannot be read ({error.strerror}). Expected a table of the data set with the columns "
            f"{', '.join(columns)}. Give the folder as it was published."
        ) from None
    except UnicodeDecodeError:
        raise AdapterError(
            f"{path}: not UTF-8 text. Expected a CSV file. Take the table as it was published."
        ) from None
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise AdapterError(f"{path}: no CSV file ({error}). Take the table as it was published.") from None
    header = [name.strip() for name in records[0]] if records else []
    if missing := [name for name in columns if name not in header]:
        raise AdapterError(
            f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(header) or 'none'}. Expected "
            f"them separated by {separator!r}. Take the table as it was published."
        )
    rows = {n: [c.strip() for c in r] for n, r in enumerate(records[1:], start=2) if any(c.strip() for c in r)}
    fitting = {n: r for n, r in rows.items() if len(r) == len(header)}
    tell("%s: %d rows left out, their number of cells is not that of the header: rows %s", path, rows.keys() - fitting)
    return pd.DataFrame(fitting.values(), index=list(fitting), columns=header, dtype=object)


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
