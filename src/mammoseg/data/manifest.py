"""The manifest: the one table about many images, a row per image, checked when it is read.

Every problem of a file is reported in one error, with row numbers as a spreadsheet shows them (the header is row 1;
a Parquet file counts as if it had a header row). Ids are text: "007" stays "007". An unknown label is NaN, never 0.

The classes are the model's: a manifest knows those of `CLASSES`, and any other as soon as it is asked for.
"""

import csv
import hashlib
import io
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.bounded import read_bounded
from mammoseg.data.columns import (
    BOXES,
    HEATMAP,
    MASK,
    OPTIONAL,
    REQUIRED,
    SPLITS,
    ManifestError,
    Problems,
    as_text,
    check_table,
    class_columns,
    path_columns,
    read_boxes,
)
from mammoseg.data.image_row import ImageRow as ImageRow
from mammoseg.data.masks import IMAGE
from mammoseg.io.cells import unescape, utf8_text, write_csv
from mammoseg.records.label import CLASSES

logger = logging.getLogger(__name__)

_MOST_BYTES = 2**30
"""Largest manifest: some million rows."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """A checked table. Text columns hold str or None, labels and pixel_mm float64 with NaN, paths are absolute.

    The index is the number of the row in the file. All of REQUIRED, OPTIONAL and the columns of `classes` are present;
    further columns are kept as they were. Do not change the table in place.
    """

    table: pd.DataFrame
    path: Path
    """The file it came from, or would be written to: relative paths and messages refer to it."""
    classes: tuple[str, ...] = CLASSES
    """Those whose columns have been checked."""
    salt: str = ""
    """As `ImageRow.salt`."""

    @classmethod
    def from_table(cls, table: pd.DataFrame, path: Path, check_files: bool = False) -> "Manifest":
        """Check a table made in memory like a file read from `path`. Raises ManifestError with every problem."""
        numbered = table.set_axis(pd.RangeIndex(2, len(table) + 2))
        return cls(check_table(numbered, path, Problems(), check_files), path)

    def with_classes(self, classes: Sequence[str], required: bool = True) -> "Manifest":
        """The same rows, with the columns of these classes checked, too.

        Raises ManifestError with every problem, one of them that no column speaks of a class. Without `required` such a
        class is unknown in all rows, as those of `CLASSES` always are: images to predict need no labels.
        """
        known = tuple(dict.fromkeys((*self.classes, *classes)))
        if known == self.classes:
            return self
        table = check_table(self.table, self.path, Problems(), classes=known, required=required)
        return replace(self, table=table, classes=known)

    def __len__(self) -> int:
        return len(self.table)

    def subset(self, *splits: str) -> "Manifest":
        """The rows of some splits (train, val or test). Rows that have no split at all are told of in the log.

        Raises ManifestError when one of the splits has no row, and when labelled images have no split though others of
        their patient have: a patient is in one split as a whole, so nobody means that.
        """
        split = self.table["split"]
        if empty := [name for name in splits if not (split == name).any()]:
            counts = split.value_counts().to_dict() or "no split at all"
            raise ManifestError(
                f"{self.path}: no image has split {empty[0]!r}; rows per split: {counts}. Expected at least one row. "
                f"Fill in the split column ({', '.join(SPLITS)}). The split that `mammoseg train` draws is in RUN/manifest.csv."
            )
        labelled = self.table[list(self.classes)].notna().any(axis=1)
        torn = split.isna() & labelled & split.groupby(self.table["patient_id"]).transform("any")
        if torn.any():
            raise ManifestError(
                f"{self.path}: {torn.sum()} labelled images have no split though others of their patient have one, the first in "
                f"row {torn.idxmax()}. Expected the same split in all rows of a patient. Fill it in; merged cells of a "
                "spreadsheet leave all but their first row empty."
            )
        if split.isna().any():
            logger.warning(
                "%s: %d of %d images have no split and are left out", self.path, split.isna().sum(), len(self)
            )
        return replace(self, table=self.table[split.isin(splits)])

    def rows(self, classes: Sequence[str] = CLASSES, required: bool = True) -> Iterator[ImageRow]:
        """One ImageRow per image, in the order of the table, with what is known of these classes.

        Raises as `with_classes` does, before the first row.
        """
        known = self.with_classes(classes, required)
        table = known.table[[*REQUIRED, *class_columns(known.classes), *OPTIONAL]]
        return (_row(cells, classes, known.classes, self.salt) for cells in table.to_dict("records"))

    def with_pixel_mm(self, pixel_mm: float | None) -> "Manifest":
        """The same images, with a pixel side in mm where it is unknown; None changes nothing."""
        known = self.table["pixel_mm"]
        return self if pixel_mm is None else replace(self, table=self.table.assign(pixel_mm=known.fillna(pixel_mm)))

    def to_csv(self, path: Path) -> None:
        """Write the table (atomically). Files below the folder of `path` get relative paths."""
        path.parent.mkdir(parents=True, exist_ok=True)
        table = as_text(self.table, path.parent)
        used = [c for c in table if c in REQUIRED or table[c].notna().any()]
        write_csv(path, table[used])

    def sha256(self, splits: bool = False) -> str:
        """Hash of what the rows say: the same for the same rows, wherever and however they are written down.

        It covers the cells of all columns but `split`: files by their place below the folder that holds them all, so that a
        study may be moved as a whole. Order of rows and columns, empty columns, the spelling of a cell that has a form
        in memory, and the folder of the manifest make no difference, nor do splits that are drawn later: only with `splits`
        are they covered, too.
        """
        table = self.table.drop(columns=[] if splits else "split").sort_values("image_id")
        table["mask_frame"] = table["mask_frame"].replace(IMAGE, None)
        files = [v for name in path_columns(table) for v in table[name].dropna() if os.path.isabs(str(v))]  # noqa: PTH117
        text = as_text(table, Path(os.path.commonpath(map(os.path.dirname, files))))
        said = sorted(name for name in map(str, text) if text[name].notna().any())
        return hashlib.sha256(text[said].to_csv(index=False).encode()).hexdigest()


def load_manifest(path: Path, check_files: bool = False) -> Manifest:
    """Read a manifest (CSV in UTF-8 with commas, or Parquet) and check it.

    A missing mask or heatmap file is always a problem; a missing image file only with `check_files`, because a batch of
    predictions goes on without it. Raises ManifestError with every problem of the file.
    """
    try:
        data = read_bounded(path, _MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ManifestError(
            f"{path}: the manifest cannot be read ({reason}). Expected a CSV or Parquet file. Check the path."
        ) from None
    if data[:4] == b"PAR1" or path.suffix.lower() in (".parquet", ".pq"):
        try:
            table = pd.read_parquet(io.BytesIO(data))
        except (ValueError, OSError) as error:
            raise ManifestError(f"{path}: damaged Parquet file ({error}). Write it again.") from None
        return Manifest.from_table(table, path, check_files)
    try:
        text = utf8_text(data)
    except ValueError as error:
        hint = "; labels of images in a table of your own are for `mammoseg scan --labels`, which makes the manifest"
        raise ManifestError(f"{path}: {error}{hint if 'workbook' in str(error) else ''}.") from None
    problems = Problems()
    table = _read_csv(text, path, problems)
    return Manifest(check_table(table, path, problems, check_files), path)


def _row(cells: Mapping[Any, Any], classes: Sequence[str], known: Sequence[str], salt: str) -> ImageRow:
    """A record of the table as what it says of `classes`, with the heatmaps of all that the manifest knows."""
    said = {name: cell for name, cell in cells.items() if cell is not None and cell == cell}  # NaN is unlike itself

    def of(kind: str, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
        return ((name, said[column]) for name in names if (column := kind.format(name)) in said)

    flip = said.get("horizontal_flip")
    return ImageRow(
        **{name: said[name] for name in REQUIRED if name != "path"},
        path=Path(said["path"]),
        salt=salt,
        labels={name: int(label) for name, label in of("{}", classes)},
        masks={name: Path(file) for name, file in of(MASK, classes)},
        boxes={name: read_boxes(text) for name, text in of(BOXES, classes)},
        heatmaps={name: Path(file) for name, file in of(HEATMAP, known)},
        horizontal_flip=None if flip is None else flip == "YES",
        **{name: said[name] for name in OPTIONAL if name in said and name != "horizontal_flip"},
    )


def _read_csv(text: str, path: Path, problems: Problems) -> pd.DataFrame:
    """The table as text (empty cells None), its index the row numbers of a spreadsheet."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records = [(n, r) for n, r in enumerate(reader, start=1) if any(cell.strip() for cell in r)]
    except csv.Error as error:
        raise ManifestError(
            f"{path}: not a CSV file: {error}, near line {reader.line_num}. Check the quotes."
        ) from None
    if not records:
        raise ManifestError(
            f"{path}: the file is empty. Expected a header row with {', '.join(REQUIRED)} and the images."
        )
    header = [name.strip() for name in records[0][1]]
    if len(header) == 1 and (found := [c for c in ";\t|" if c in header[0]]):
        raise ManifestError(
            f"{path}: the columns are separated by {found[0]!r}; expected commas. "
            "Export the table again with comma as separator (decimal points, not commas)."
        )
    while header and not header[-1]:  # spreadsheets like to add empty columns
        header.pop()
    rows = [r[: len(header)] if not any(c.strip() for c in r[len(header) :]) else r for _, r in records[1:]]
    numbers = [n for n, _ in records[1:]]
    lengths = [len(r) for r in rows]
    kind = f"the number of cells is not that of the header ({len(header)}; a comma inside a text needs quotes)"
    problems.add(kind, [n != len(header) for n in lengths], numbers, [f"{n} cells" for n in lengths])
    fitted = [[unescape(cell) or None for cell in (r + [""] * len(header))[: len(header)]] for r in rows]
    return pd.DataFrame(fitted, numbers, columns=list(map(unescape, header)), dtype=object)
