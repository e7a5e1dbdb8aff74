"""What the adapters of data sets share: what they say of one, its tables and images, and what of it is not in its manifest."""

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.columns import ManifestError, Problems, check_table
from mammoseg.data.manifest import Manifest
from mammoseg.ingest.drawing import write_mask
from mammoseg.ingest.files import find_files, readable
from mammoseg.ingest.tables import Table, TableError, read_table
from mammoseg.io.cells import write_csv
from mammoseg.wording import listed

logger = logging.getLogger(__name__)

ROW = "row of the table"
"""Key of a row for `DataSet.manifest`: its number in the table, for messages. It is no column of the manifest."""

Cells = Mapping[Any, str]
"""A row of a table: column -> text."""
Breast = tuple[str, str]
"""Exam or patient, and side."""
V = TypeVar("V", bound=Hashable)
_WIDTH = 300


class AdapterError(ValueError):
    """A folder that cannot be turned into a manifest."""


@dataclass(frozen=True)
class Totals:
    """What the whole data set has, by its publication; None: not told."""

    images: int
    source: str
    exams: int | None = None
    patients: int | None = None


@dataclass(frozen=True)
class About:
    """A data set in the words a user needs before trusting a label (`mammoseg adapt`). Plain text, a sentence per entry."""

    title: str
    label_source: str
    """Where benign and malignant come from (biopsy, BI-RADS, registry ...) and by which rule."""
    licence: str
    """Under which terms the images may be used."""
    defects: tuple[str, ...]
    """What is known to be wrong or misleading in the data, and what the adapter does about it."""
    url: str
    """Where the data set is published."""
    holds: str
    """What its folder holds, as `adapt` expects it."""
    published: Totals | None = None
    """None where no total is known for certain: then only its tables and files tell what is missing."""


@dataclass(frozen=True)
class Omission:
    """One row, image or file that is not in the manifest."""

    source: Path
    """The table or folder it stands in."""
    item: str
    """`row 7`, an image id, or a path below `source`."""
    why: str


@dataclass(frozen=True, eq=False)
class Adapted(Manifest):
    """The manifest of a data set, and what of the data set is not in it."""

    left_out: tuple[Omission, ...] = ()


class DataSet:
    """A data set below `root` on its way to a manifest.

    What is left out is told at once, and kept for the exit code and the list beside the manifest. What makes no image less,
    such as a missing mask, is only told (`tell`).
    """

    def __init__(self, root: Path, masks: Path, about: About) -> None:
        """Masks are written to `masks`; the manifest belongs beside that folder."""
        self.root, self.masks, self._holds = root, masks, about.holds
        self.left_out: list[Omission] = []

    def leave_out(self, source: Path, why: str, items: Iterable[Hashable]) -> None:
        """`why` completes "<source>: <number> ...", such as "images have no file"; a number is a row of a spreadsheet."""
        there = sorted(items)  # type: ignore[type-var]
        rows = "rows " if there and isinstance(there[0], int) else ""
        tell(f"%s: %d {why}: {rows}%s", source, there)
        self.left_out += [Omission(source, f"row {item}" if rows else readable(str(item)), why) for item in there]

    def find(self, *places: str) -> Path:
        """The first of `places` below `root` that is there.

        Raises AdapterError if none is, with what the folder should hold and, if the table lies one folder higher or deeper,
        which folder to give instead.
        """
        for place in places:
            if (self.root / place).exists():
                return self.root / place
        if not self.root.is_dir():
            raise AdapterError(f"{self.root}: there is no such folder. Expected {self._holds}. Check the path.")
        folder = next((path for path in self._around() if any((path / place).is_file() for place in places)), None)
        advice = f"It is in {folder}: give that folder" if folder else "Check the path, or download what is missing"
        raise AdapterError(f"{self.root}: {' and '.join(places)} cannot be found. Expected {self._holds}. {advice}.")

    def table(
        self, places: Sequence[str], columns: Sequence[str], unique: Sequence[str] = (), published: int | None = None
    ) -> Table:
        """The table in the first of `places` that is there, with at least these columns.

        A row of another length than the header is left out, for a published table is not ours to correct; so are rows fewer
        than were `published`. Rows that have the same cells in the columns `unique` must be equal: one of them stays.

        Raises TableError if a column is missing, if there is no row, or rows contradict each other in `unique`, and as `find`
        and `read_table` do.
        """
        path = self.find(*places)
        table = read_table(path)
        if missing := [name for name in columns if name not in table.columns]:
            raise TableError(
                f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(table.columns)[:_WIDTH] or 'none'}. "
                "Expected those of the published table. Download it again."
            )
        if not table.rows:
            none = f"none of {len(table.misfits)} rows has as many cells as the header" if table.misfits else ""
            raise TableError(
                f"{path}: {none or 'the table has a header and no rows'}. Expected a row per image or finding. Take the table as "
                "it was published."
            )
        self.leave_out(path, "rows left out, their number of cells is not that of the header", table.misfits)
        there = len(table.rows) + len(table.misfits)
        if published is not None and there < published:
            logger.warning("%s: %d of %d published rows: it is cut off, or a part", path, there, published)
            self.left_out.append(Omission(path, f"{published - there} rows", "published, not in the table"))
        return replace(table, rows=_without_repeated(path, table.rows, unique)) if unique else table

    def images(self, suffixes: Sequence[str], below: str = "") -> dict[str, Path]:
        """Path below `root` without its suffix, such as `images/10006/1` -> file, in any case of the suffix.

        Only those that begin with `below`. Of several files of one name the one whose suffix comes first in `suffixes`. What
        cannot be looked into, such as a folder that may not be read, is left out.
        """
        found, skipped = find_files(self.root)
        lost = [
            f"{s.place} ({s.why})" for s in skipped if s.status == "unusable" and s.place.as_posix().startswith(below)
        ]
        self.leave_out(self.root, "files or folders cannot be looked into and are left out", lost)
        images: dict[str, PurePosixPath] = {}
        places = [p for p in found if p.suffix.lower() in suffixes and p.as_posix().startswith(below)]
        for place in sorted(places, key=lambda p: suffixes.index(p.suffix.lower())):
            images.setdefault(place.with_suffix("").as_posix(), place)
        return {name: self.root / place for name, place in images.items()}

    def rows(self, table: Table, row: Callable[[Cells], dict[str, Any] | None], needs: str) -> list[dict[str, Any]]:
        """What `row` makes of each row of the table; None for those left out, whose `needs` (ids, side) cannot be used."""
        made = {number: row(cells) for number, cells in table.rows.items()}
        unusable = [number for number, cells in made.items() if cells is None]
        self.leave_out(table.path, f"rows left out, {needs} cannot be used", unusable)
        return [{ROW: number, **cells} for number, cells in made.items() if cells is not None]

    def mask(self, image_id: str, label: str, drawn: NDArray[np.bool_]) -> dict[str, str]:
        """`<class>_mask` -> its file, which is written; nothing if no pixel is True."""
        file = write_mask(self.masks / f"{image_id}_{label}.png", drawn)
        return {f"{label}_mask": file} if file else {}

    def manifest(
        self, rows: Sequence[Mapping[str, Any]], images: Iterable[Path] = (), table: Path | None = None
    ) -> Adapted:
        """The rows (columns of a manifest, ROW, further ones kept) whose image file exists, in their order.

        `images` are those on the disk: the ones without a row are left out too. Raises AdapterError if there is no image at
        all, or if the rows contradict each other: the message names `table` and its rows.
        """
        rows = [{**row, "path": Path(row["path"]).absolute()} for row in rows]
        there = [row for row in rows if row["path"].is_file()]
        absent = {row["image_id"] for row in rows} - {row["image_id"] for row in there}
        self.leave_out(self.root, "images of the tables have no file and are left out", absent)
        if not there:
            raise AdapterError(
                f"{self.root}: none of the {len(rows)} images of the tables is there. Expected the folder of the data set with "
                f"its images in it. {self._advice([row['path'] for row in rows])}"
            )
        beside = {path.absolute() for path in images} - {row["path"] for row in rows}
        names = [path.relative_to(self.root.absolute()).as_posix() for path in beside]
        self.leave_out(self.root, "image files are in no row of the tables and are left out", names)
        numbers = [row.get(ROW, at) for at, row in enumerate(there, start=2)]
        cells = [{name: str(cell) if isinstance(cell, Path) else cell for name, cell in row.items()} for row in there]
        frame = pd.DataFrame(cells, numbers).drop(columns=ROW, errors="ignore")
        try:
            checked = check_table(frame, table or self.root, Problems())
        except ManifestError as error:
            raise AdapterError(str(error).replace("this manifest", "what the tables say", 1)) from None
        in_manifest = checked.set_axis(pd.RangeIndex(2, len(checked) + 2))
        return Adapted(in_manifest, self.masks.parent / "manifest.csv", left_out=tuple(self.left_out))

    def _around(self) -> list[Path]:
        """The folder above and those below."""
        return [self.root.absolute().parent, *sorted(path for path in self.root.iterdir() if path.is_dir())]

    def _advice(self, paths: Sequence[Path]) -> str:
        """Where an image of the tables lies instead, or what else may be wrong."""
        names = {path.name: path.relative_to(self.root.absolute()) for path in paths}
        folders = {place.parent for place in names.values()} - {Path()}
        folder = next((path for path in self._around() if any((path / place).is_dir() for place in folders)), None)
        if folder is not None:
            return f"The images are in {folder}: give that folder, or move the tables there."
        found = next((place for place in find_files(self.root)[0] if place.name in names), None)
        if found is None:
            return "Check the path, or whether the images have been downloaded and unpacked."
        return f"{found} is there, but was looked for at {names[found.name]}: move the images."


def tell(message: str, path: Path, items: Iterable[object]) -> None:
    """Warn of `items`, if there are any: `message` takes the path, how many, and the first of them."""
    if there := sorted(items):  # type: ignore[type-var]
        logger.warning(message, path, len(there), listed([readable(str(item)) for item in there]))


def agreed(table: Table, what: str, tells: Callable[[Cells], tuple[Breast, V | None]]) -> dict[Breast, V | None]:
    """What the rows of a table tell of each breast: None where they differ, told as `what`."""
    found: dict[Breast, set[V | None]] = defaultdict(set)
    for breast, value in map(tells, table.rows.values()):
        found[breast].add(value)
    differing = [" ".join(breast) for breast, values in found.items() if len(values) > 1]
    tell(f"%s: %d breasts have {what}, labels left empty: %s", table.path, differing)
    return {breast: values.pop() if len(values) == 1 else None for breast, values in found.items()}


def write_omissions(path: Path, entries: Iterable[Omission]) -> None:
    """A CSV file with the columns source, item and why; without entries an earlier one is deleted."""
    rows = [(str(entry.source), entry.item, entry.why) for entry in entries]
    if not rows:
        path.unlink(missing_ok=True)
        return
    write_csv(path, pd.DataFrame(rows, columns=["source", "item", "why"]))


def _without_repeated(
    path: Path, rows: Mapping[int, Mapping[str, str]], unique: Sequence[str]
) -> dict[int, Mapping[str, str]]:
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, cells in rows.items():
        same[tuple(cells[name] for name in unique)].append(number)
    for numbers in same.values():
        if any(rows[number] != rows[numbers[0]] for number in numbers):
            raise TableError(
                f"{path}: rows {listed(numbers)} have the same {' and '.join(unique)} and differ. "
                "Expected one row for each. Delete what is wrong, or take the table as it was published."
            )
    repeated = {number for numbers in same.values() for number in numbers[1:]}
    tell("%s: %d rows repeat an earlier row, which counts once: rows %s", path, repeated)
    return {number: cells for number, cells in rows.items() if number not in repeated}
