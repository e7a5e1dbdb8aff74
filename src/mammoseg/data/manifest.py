"""The manifest: the one table about many images, a row per image, checked when it is read.

Every problem of a file is reported in one error, with row numbers as a spreadsheet shows them (the header is row 1;
a Parquet file counts as if it had a header row). Ids are text: "007" stays "007". An unknown label is NaN, never 0.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.bounded import read_bounded
from mammoseg.data.columns import OPTIONAL, PATHS, REQUIRED, SPLITS, ManifestError, Problems, as_text, check_table
from mammoseg.io.atomic import write_text
from mammoseg.io.cells import csv_text, unescape
from mammoseg.records.image import Laterality, Mammogram
from mammoseg.records.label import CLASSES

COLUMNS = (*REQUIRED, *OPTIONAL)
MOST_BYTES = 2**31
"""Largest manifest: some million rows."""
_MOST_BYTES = 2**30
_IN_ROWS: dict[Callable[[Any], Any], tuple[str, ...]] = {
    Path: PATHS,
    int: CLASSES,
    "YES".__eq__: ("horizontal_flip",),
}


@dataclass(frozen=True)
class ImageRow:
    """One row of a manifest. Unknown is None."""

    patient_id: str
    exam_id: str
    image_id: str
    laterality: Laterality
    view: str
    path: Path
    benign: int | None = None
    malignant: int | None = None
    benign_mask: Path | None = None
    malignant_mask: Path | None = None
    mask_frame: str | None = None
    """Which pixels the masks have: `image` (also None) or `window`, see data/masks.py."""
    benign_heatmap: Path | None = None
    malignant_heatmap: Path | None = None
    split: str | None = None
    study_date: str | None = None
    """ISO date, YYYY-MM-DD."""
    pixel_mm: float | None = None
    horizontal_flip: bool | None = None
    """See `Mammogram.horizontal_flip`."""
    manufacturer: str | None = None
    """Of the machine."""

    @property
    def breast_key(self) -> tuple[str, str]:
        """(exam_id, laterality): images with the same key show the same breast at the same time."""
        return self.exam_id, self.laterality

    @property
    def labels_K(self) -> NDArray[np.float64]:
        """(2,) labels in the order of `CLASSES`: 0, 1 or NaN (unknown)."""
        return np.array([self.benign, self.malignant], dtype=np.float64)

    @property
    def masks(self) -> dict[str, Path | None]:
        """Class name -> lesion mask file; None means no mask was drawn, which is not an empty mask."""
        return {"benign": self.benign_mask, "malignant": self.malignant_mask}

    @property
    def heatmaps(self) -> dict[str, Path | None]:
        """Class name -> heatmap file (see data/heatmaps.py), or None."""
        return {"benign": self.benign_heatmap, "malignant": self.malignant_heatmap}

    def about(self, classes: Collection[str]) -> "ImageRow":
        """The row as it is for a model of these classes: labels and masks of the others are unknown."""
        unknown: dict[str, Any] = {n: None for c in CLASSES if c not in classes for n in (c, f"{c}_mask")}
        return replace(self, **unknown)

    def mammogram(self, pixels: NDArray[np.generic], reading: tuple[str, ...] = ()) -> Mammogram:
        """The pixels (H, W) of `path` together with what the row knows about them; `reading` as `Mammogram.reading`."""
        about = (self.laterality, self.view, self.image_id, self.pixel_mm, self.horizontal_flip)
        return Mammogram(pixels, *about, reading=reading)


@dataclass(frozen=True, eq=False)
class Manifest:
    """A checked table. Text columns hold str or None, labels and pixel_mm float64 with NaN, paths are absolute.

    All of REQUIRED and OPTIONAL are present; further columns are kept as they were. Do not change the table in place.
    """

    table: pd.DataFrame
    path: Path
    """The file it came from, or would be written to: relative paths and messages refer to it."""

    @classmethod
    def from_table(cls, table: pd.DataFrame, path: Path, check_files: bool = False) -> "Manifest":
        """Check a table made in memory like a file read from `path`. Raises ManifestError with every problem."""
        numbers = np.arange(len(table)) + 2
        return cls(check_table(table.reset_index(drop=True), numbers, path, Problems(), check_files), path)

    def __len__(self) -> int:
        return len(self.table)

    def subset(self, split: str) -> "Manifest":
        """The rows of one split (train, val or test). Raises ManifestError when there are none."""
        chosen = self.table[self.table["split"] == split]
        if chosen.empty:
            counts = self.table["split"].value_counts().to_dict() or "no split at all"
            raise ManifestError(
                f"{self.path}: no image has split {split!r}; rows per split: {counts}. Expected at least one row. "
                f"Fill in the split column ({', '.join(SPLITS)}). The split that `mammoseg train` draws is in RUN/manifest.csv."
            )
        return Manifest(chosen.reset_index(drop=True), self.path)

    def rows(self) -> Iterator[ImageRow]:
        """One ImageRow per image, in the order of the table."""
        for values in self.table[list(COLUMNS)].itertuples(index=False, name=None):
            known: dict[str, Any] = {n: None if pd.isna(v) else v for n, v in zip(COLUMNS, values, strict=True)}
            for kind, names in _IN_ROWS.items():
                known.update({n: kind(known[n]) for n in names if known[n] is not None})
            yield ImageRow(**known)

    def with_pixel_mm(self, pixel_mm: float | None) -> "Manifest":
        """The same images, with a pixel side in mm where it is unknown; None changes nothing."""
        known = self.table["pixel_mm"]
        return self if pixel_mm is None else Manifest(self.table.assign(pixel_mm=known.fillna(pixel_mm)), self.path)

    def labels_BK(self) -> NDArray[np.float64]:
        """(N, 2) labels in the order of `CLASSES`: 0, 1 or NaN (unknown)."""
        return self.table[list(CLASSES)].to_numpy(dtype=np.float64)

    def breast_keys(self) -> list[tuple[str, str]]:
        """(exam_id, laterality) of every row."""
        return list(zip(self.table["exam_id"], self.table["laterality"], strict=True))

    def to_csv(self, path: Path) -> None:
        """Write the table (atomically). Files below the folder of `path` get relative paths."""
        path.parent.mkdir(parents=True, exist_ok=True)
        table = as_text(self.table, path.parent)
        used = [c for c in table if c in REQUIRED or table[c].notna().any()]
        write_text(path, csv_text(table[used]))

    def sha256(self) -> str:
        """Hash of the content: the same for any order of rows and columns and for a moved folder."""
        table = as_text(self.table, self.path.parent).sort_values("image_id")
        return hashlib.sha256(table[sorted(table.columns)].to_csv(index=False).encode()).hexdigest()


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
    problems = Problems()
    table, numbers = _read_csv(_decode(data, path), path, problems)
    return Manifest(check_table(table, numbers, path, problems, check_files), path)


def _decode(data: bytes, path: Path) -> str:
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise ManifestError(
            f"{path}: this is an Excel workbook; expected CSV. Save the sheet as 'CSV UTF-8' (commas); if it holds labels of "
            "images, give it to `mammoseg scan --labels`, which makes the manifest."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"{path}: not UTF-8 text (byte {error.start}, row {row}). Expected a CSV file in UTF-8. "
            "Save it as 'CSV UTF-8', or convert it with iconv."
        ) from None
    if "\0" in text:
        raise ManifestError(f"{path}: holds zero bytes, so it is not a CSV file. Expected text in UTF-8 with commas.")
    return text


def _read_csv(text: str, path: Path, problems: Problems) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The table as text (empty cells None) and the spreadsheet row number of each of its rows."""
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
    numbers = np.array([n for n, _ in records[1:]], dtype=np.int64)
    lengths = [len(r) for r in rows]
    kind = f"the number of cells is not that of the header ({len(header)}; a comma inside a text needs quotes)"
    problems.add(kind, [n != len(header) for n in lengths], numbers, [f"{n} cells" for n in lengths])
    fitted = [[unescape(cell) or None for cell in (r + [""] * len(header))[: len(header)]] for r in rows]
    return pd.DataFrame(fitted, columns=list(map(unescape, header)), dtype=object), numbers
