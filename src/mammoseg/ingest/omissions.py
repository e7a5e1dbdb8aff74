"""What a data set has and its manifest lacks: told at once, and kept for the exit code and the list beside the manifest."""

import logging
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mammoseg.ingest.left_out import readable
from mammoseg.io.cells import write_csv
from mammoseg.wording import listed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Omission:
    """One row, image or file."""

    source: Path
    """The table or folder it stands in."""
    item: str
    """`row 7`, an image id, or a path below `source`."""
    why: str


class Omissions:
    """Collects entries while an adapter works. What makes no image less, such as a missing mask, is only told (`tell`)."""

    def __init__(self) -> None:
        self.entries: list[Omission] = []

    def add(self, source: Path, why: str, items: Iterable[Hashable]) -> None:
        """`why` completes "<source>: <number> ...", such as "images have no file"; a number is a row of a spreadsheet."""
        listed = sorted(items)  # type: ignore[type-var]
        rows = "rows " if listed and isinstance(listed[0], int) else ""
        tell(f"%s: %d {why}: {rows}%s", source, listed)
        self.entries += [Omission(source, f"row {item}" if rows else readable(str(item)), why) for item in listed]

    def add_missing_rows(self, source: Path, there: int, published: int | None) -> None:
        """Of a table whose number of rows is known from its publication."""
        if published is not None and there < published:
            logger.warning("%s: %d of %d published rows: it is cut off, or a part", source, there, published)
            self.entries.append(Omission(source, f"{published - there} rows", "published, not in the table"))


def tell(message: str, path: Path, items: Iterable[object]) -> None:
    """Warn of `items`, if there are any: `message` takes the path, how many, and the first of them."""
    if there := sorted(items):  # type: ignore[type-var]
        logger.warning(message, path, len(there), listed([readable(str(item)) for item in there]))


def write_omissions(path: Path, entries: Iterable[Omission]) -> None:
    """A CSV file with the columns source, item and why; without entries an earlier one is deleted."""
    rows = [(str(entry.source), entry.item, entry.why) for entry in entries]
    if not rows:
        path.unlink(missing_ok=True)
        return
    write_csv(path, pd.DataFrame(rows, columns=["source", "item", "why"]))
