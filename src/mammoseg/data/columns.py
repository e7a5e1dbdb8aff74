"""The columns of a manifest: their names, what may stand in their cells, and every check of them.

All problems of a table are collected (`Problems`) before one ManifestError reports them together.
"""

import difflib
import logging
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mammoseg.data.masks import FRAMES
from mammoseg.io.runs import is_safe_id
from mammoseg.records.label import CLASSES

logger = logging.getLogger(__name__)

REQUIRED = ("patient_id", "exam_id", "image_id", "laterality", "view", "path")
OPTIONAL = (
    "benign",
    "malignant",
    "benign_mask",
    "malignant_mask",
    "mask_frame",
    "benign_heatmap",
    "malignant_heatmap",
    "split",
    "study_date",
    "pixel_mm",
    "horizontal_flip",
    "manufacturer",
)
SPLITS = ("train", "val", "test")
PATHS = ("path", "benign_mask", "malignant_mask", "benign_heatmap", "malignant_heatmap")

_SIDES = {"l": "L", "left": "L", "r": "R", "right": "R"}
_LABELS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
_SHOWN = 5
_LARGEST_PIXEL_MM = 5.0


class ManifestError(ValueError):
    """A manifest that cannot be used; the message lists every problem with its rows."""


class Problems:
    """Collects what is wrong: one line per kind, the first rows of each, and how many."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(
        self, kind: str, bad: ArrayLike, numbers: NDArray[np.int64], values: Sequence[object] | None = None
    ) -> None:
        """Rows at fault, each with its value if given (no patient data: messages end in logs)."""
        at = np.flatnonzero(np.asarray(bad, dtype=bool))
        if at.size:
            shown = [f"row {numbers[i]}" + ("" if values is None else f" {values[i]!r}") for i in at[:_SHOWN]]
            self._line(kind, shown, at.size, "row")

    def add_groups(self, kind: str, keys: pd.Series, bad: pd.Series, numbers: NDArray[np.int64]) -> None:
        """Rows that contradict each other, shown together."""
        groups = keys[bad].groupby(keys[bad], sort=False).groups.values()
        texts = []
        for rows in list(groups)[:_SHOWN]:
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            texts.append("rows " + ", ".join(str(numbers[i]) for i in rows[:_SHOWN]) + more)
        self._line(kind, texts, len(groups), "case")

    def _line(self, kind: str, shown: list[str], count: int, unit: str) -> None:
        if count:
            more = f" ... and {count - len(shown)} more" if count > len(shown) else ""
            self.lines.append(f"{kind} ({count} {unit}{'s' if count > 1 else ''}): {'; '.join(shown)}{more}")


def check_table(
    raw: pd.DataFrame, numbers: NDArray[np.int64], path: Path, problems: Problems, check_files: bool
) -> pd.DataFrame:
    """The table in its form in memory (see `Manifest`), columns REQUIRED, OPTIONAL, then the further ones.

    `numbers` are the row numbers for messages, `problems` what reading the file has already found. Raises
    ManifestError with everything found. Mask and heatmap files must exist; image files only with `check_files`.
    """
    raw = raw.rename(columns=str)
    _check_columns(list(raw.columns), problems)
    raw = raw.loc[:, ~raw.columns.duplicated()]
    empty = pd.Series([None] * len(raw), raw.index, dtype=object)
    table = pd.DataFrame({n: _texts(raw[n]) if n in raw else empty for n in (*REQUIRED, *OPTIONAL)}, raw.index)
    if raw.empty:
        problems.lines.append("the table has no rows: expected one row per image")
    for name in (n for n in REQUIRED if n in raw):
        problems.add(f"{name} is empty", table[name].isna(), numbers)
    _check_cells(table, numbers, problems)
    _check_groups(table, numbers, problems)
    folder = path.absolute().parent
    for name in PATHS:
        table[name] = pd.Series([v and os.path.normpath(folder / v) for v in table[name]], table.index, dtype=object)
        if name != "path" or check_files:
            missing = [v is not None and not Path(v).is_file() for v in table[name]]
            problems.add(f"{name}: there is no such file", missing, numbers, table[name].tolist())
    if problems.lines:
        raise ManifestError(
            f"{path}: this manifest cannot be used as it is.\n  " + "\n  ".join(problems.lines) + "\n"
            "Rows are counted as in a spreadsheet, the header is row 1. Correct them and load the file again."
        )
    return pd.concat([table, raw[[c for c in raw if c not in table]]], axis=1)


def _check_columns(names: list[str], problems: Problems) -> None:
    for name in sorted({n for n in names if names.count(n) > 1 or not n}):
        problems.lines.append(f"the header holds {name!r} {names.count(name)} times: expected a name, once, per column")
    further = {re.sub(r"[\s-]+", "_", n.strip().lower()): n for n in names if n not in (*REQUIRED, *OPTIONAL)}
    for name in (n for n in (*REQUIRED, *OPTIONAL) if n not in names):
        close = difflib.get_close_matches(name, further, n=1, cutoff=0.6 if name in REQUIRED else 0.85)
        hint = f" (there is {further[close[0]]!r}: did you mean {name!r}?)" if close else ""
        if name in REQUIRED:
            problems.lines.append(f"the column {name!r} is missing{hint}")
        elif close and close[0] == name:
            problems.lines.append(f"the column {further[name]!r} must be written {name!r}")
        elif close:
            logger.warning("manifest without the optional column %r%s", name, hint)


def _check_cells(table: pd.DataFrame, numbers: NDArray[np.int64], problems: Problems) -> None:
    """Check every cell by itself and bring it to its form in memory."""
    convert: dict[str, tuple[Callable[[str], object], str]] = {
        "image_id": (
            lambda v: v if is_safe_id(v) else None,
            "must be a safe file name: letters, digits, . _ -",
        ),
        "laterality": (lambda v: _SIDES.get(v.lower()), "must be L or R"),
        "view": (str.upper, ""),
        "benign": (lambda v: _LABELS.get(v.lower()), "must be 0, 1 or empty (unknown)"),
        "malignant": (lambda v: _LABELS.get(v.lower()), "must be 0, 1 or empty (unknown)"),
        "mask_frame": (lambda v: v.lower() if v.lower() in FRAMES else None, "must be image, window or empty (image)"),
        "split": (lambda v: v if v in SPLITS else None, f"must be one of {', '.join(SPLITS)} or empty"),
        "study_date": (_iso_date, "must be an ISO date such as 2024-03-31, or empty"),
        "pixel_mm": (_pixel_mm, f"must be millimetres above 0, at most {_LARGEST_PIXEL_MM:g}, such as 0.07, or empty"),
        "horizontal_flip": (lambda v: v.upper() if v.upper() in ("YES", "NO") else None, "must be YES, NO or empty"),
    }
    for name, (function, rule) in convert.items():
        before = table[name].tolist()
        after = [None if v is None else function(v) for v in before]
        bad = [b is not None and a is None for a, b in zip(after, before, strict=True)]
        problems.add(f"{name} {rule}", bad, numbers, before)
        table[name] = pd.Series(after, table.index, dtype=float if name in (*CLASSES, "pixel_mm") else object)


def _check_groups(table: pd.DataFrame, numbers: NDArray[np.int64], problems: Problems) -> None:
    """Check what rows say together."""
    folded = pd.Series([v and v.lower() for v in table["image_id"]], table.index, dtype=object)
    twice = folded.notna() & folded.duplicated(keep=False)
    problems.add_groups(
        "the same image_id more than once (upper and lower case count as the same)", folded, twice, numbers
    )

    def differs(keys: pd.Series, column: str) -> pd.Series:
        return table[column].groupby(keys).transform("nunique") > 1

    breast = (table["exam_id"] + "\n" + table["laterality"]).where(
        table["exam_id"].notna() & table["laterality"].notna()
    )
    for name in CLASSES:
        problems.add_groups(f"{name} differs between images of the same breast", breast, differs(breast, name), numbers)
    exam, patient = table["exam_id"], table["patient_id"]
    problems.add_groups("the same exam_id for different patients", exam, differs(exam, "patient_id"), numbers)
    problems.add_groups("the same patient in different splits", patient, differs(patient, "split"), numbers)


def _pixel_mm(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= _LARGEST_PIXEL_MM else None


def _iso_date(text: str) -> str | None:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None


def _texts(column: pd.Series) -> pd.Series:
    """Cells as stripped text, nothing as None; whole numbers without a decimal point."""
    cells = []
    for value in column.tolist():
        value = int(value) if isinstance(value, float) and value.is_integer() else value
        empty = pd.api.types.is_scalar(value) and pd.isna(value)
        cells.append(None if empty else str(value).strip() or None)
    return pd.Series(cells, column.index, dtype=object)


def as_text(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The table as it is written: every cell text or None, files below `folder` by their relative path."""
    folder = Path(os.path.normpath(folder.absolute()))
    text = table.apply(_texts).astype(object)
    for name in PATHS:
        paths = [v and Path(v) for v in text[name]]
        written = [p and (p.relative_to(folder) if p.is_relative_to(folder) else p).as_posix() for p in paths]
        text[name] = pd.Series(written, text.index, dtype=object)
    return text
