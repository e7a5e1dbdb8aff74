"""The columns of a manifest: their names, what may stand in their cells, and every check of them.

A class NAME has the columns NAME (its label), NAME_mask, NAME_boxes and NAME_heatmap. All problems of a table are collected
(`Problems`) before one ManifestError reports them together.
"""

import difflib
import logging
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mammoseg.data.masks import FRAMES
from mammoseg.io.runs import is_safe_id
from mammoseg.records.finding import Box
from mammoseg.records.image import LARGEST_PIXEL_MM, side_of
from mammoseg.records.label import CLASSES
from mammoseg.wording import counted, listed

logger = logging.getLogger(__name__)

REQUIRED = ("patient_id", "exam_id", "image_id", "laterality", "view", "path")
OPTIONAL = ("mask_frame", "split", "study_date", "pixel_mm", "horizontal_flip", "manufacturer")
MASK, BOXES, HEATMAP = "{}_mask", "{}_boxes", "{}_heatmap"
SPLITS = ("train", "val", "test")

_BOXES_RULE = (
    "'top left bottom right' in pixels of the image, such as '1204 388 1391 560', further ones after ';', or empty: top above "
    "bottom, left of right, none below 0 or beyond 65535"
)
_FARTHEST = 65535
"""Most rows and columns that a DICOM image can have."""
_LABELS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
_Rule = tuple[Callable[[str], object], str]
"""What a cell is brought to, None if it must not stand there, and what is expected in words."""


def class_columns(classes: Iterable[str]) -> list[str]:
    """The columns that some classes have, those of a kind together."""
    return [kind.format(name) for kind in ("{}", MASK, BOXES, HEATMAP) for name in classes]


def path_columns(table: pd.DataFrame) -> list[str]:
    """The columns whose cells are files: also those of a class that nobody has asked for yet."""
    suffixes = (MASK.format(""), HEATMAP.format(""))
    return [name for name in map(str, table) if name == "path" or name.endswith(suffixes)]


class ManifestError(ValueError):
    """A manifest that cannot be used; the message lists every problem with its rows."""


class Problems:
    """Collects what is wrong: one line per kind, the first rows of each, and how many."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(
        self, kind: str, bad: ArrayLike, numbers: Sequence[int] | pd.Index, values: Sequence[object] | None = None
    ) -> None:
        """Rows at fault, each with its value if given (no patient data: messages end in logs)."""
        at = np.flatnonzero(np.asarray(bad, dtype=bool)).tolist()
        self._line(kind, [f"row {numbers[i]}" + ("" if values is None else f" {values[i]!r}") for i in at], "row")

    def add_groups(self, kind: str, keys: pd.Series, bad: pd.Series) -> None:
        """Rows that contradict each other, shown together; their numbers are the index."""
        groups = keys[bad].groupby(keys[bad], sort=False).groups.values()
        self._line(kind, [f"rows {listed(list(rows), mark='')}" for rows in groups], "case")

    def _line(self, kind: str, cases: list[str], unit: str) -> None:
        if cases:
            self.lines.append(f"{kind} ({counted(len(cases), unit)}): {listed(cases, between='; ')}")


def check_table(
    raw: pd.DataFrame,
    path: Path,
    problems: Problems,
    check_files: bool = False,
    classes: Sequence[str] = CLASSES,
    required: bool = True,
) -> pd.DataFrame:
    """The table in its form in memory (see `Manifest`): REQUIRED, those of `classes`, OPTIONAL, then the further ones.

    The index of `raw` are the row numbers for messages, `problems` what reading the file has already found. Raises
    ManifestError with everything found. Mask and heatmap files must exist; image files only with `check_files`. With
    `required` the table must have a column of each class, except those of `CLASSES`: nobody knows of them then.
    """
    raw = raw.rename(columns=str)
    names = [*REQUIRED, *class_columns(classes), *OPTIONAL]
    _check_columns(list(raw.columns), names, problems)
    raw = raw.loc[:, ~raw.columns.duplicated()]
    _check_classes(raw, classes, required, problems)
    empty = pd.Series([None] * len(raw), raw.index, dtype=object)
    table = pd.DataFrame({n: _texts(raw[n]) if n in raw else empty for n in names}, raw.index)
    if raw.empty:
        problems.lines.append("the table has no rows: expected one row per image")
    for name in (n for n in REQUIRED if n in raw):
        problems.add(f"{name} is empty", table[name].isna(), raw.index)
    _check_cells(table, classes, problems)
    _check_groups(table, classes, problems)
    table = pd.concat([table, raw[[c for c in raw if c not in table]]], axis=1)
    _find_files(table, names, path.absolute().parent, check_files, problems)
    if problems.lines:
        raise ManifestError(
            f"{path}: this manifest cannot be used as it is.\n  " + "\n  ".join(problems.lines) + "\n"
            "Rows are counted as in a spreadsheet, the header is row 1. Correct them and load the file again."
        )
    return table


def _check_columns(names: list[str], known: list[str], problems: Problems) -> None:
    for name in sorted({n for n in names if names.count(n) > 1 or not n}):
        problems.lines.append(f"the header holds {name!r} {names.count(name)} times: expected a name, once, per column")
    further = {re.sub(r"[\s-]+", "_", n.strip().lower()): n for n in names if n not in known}
    for name in (n for n in known if n not in names):
        close = difflib.get_close_matches(name, further, n=1, cutoff=0.6 if name in REQUIRED else 0.85)
        hint = f" (there is {further[close[0]]!r}: did you mean {name!r}?)" if close else ""
        if name in REQUIRED:
            problems.lines.append(f"the column {name!r} is missing{hint}")
        elif close and close[0] == name:
            problems.lines.append(f"the column {further[name]!r} must be written {name!r}")
        elif close:
            logger.warning("manifest without the optional column %r%s", name, hint)


def _check_classes(raw: pd.DataFrame, classes: Sequence[str], required: bool, problems: Problems) -> None:
    """The name of a class must mean nothing else; with `required`, a column must speak of it."""
    columns = [*REQUIRED, *class_columns(classes), *OPTIONAL]
    for name in (n for n in classes if columns.count(n) > 1):
        problems.lines.append(f"{name}: no name for a class, since a column of it holds something else")
    there = [str(column) for column in raw if raw[column].notna().any()]
    for name in (n for n in classes if required and n not in CLASSES and not {*class_columns([n])} & {*raw.columns}):
        close = [n for n in there if n.lower() == name.lower()] or difflib.get_close_matches(name, there, n=1)
        problems.lines.append(
            f"no column speaks of {name}, which the model is about: expected {name} (0, 1 or empty), {MASK.format(name)} or "
            f"{BOXES.format(name)}; {f'did you mean {close[0]!r}? ' if close else ''}The columns are {', '.join(there)}"
        )


def _check_cells(table: pd.DataFrame, classes: Sequence[str], problems: Problems) -> None:
    """Check every cell by itself and bring it to its form in memory."""
    convert: dict[str, _Rule] = {
        "image_id": (
            lambda v: v if is_safe_id(v) else None,
            "must be a safe file name: letters, digits, . _ -",
        ),
        "laterality": (side_of, "must be L or R"),
        "view": (str.upper, ""),
        **dict.fromkeys(classes, (lambda v: _LABELS.get(v.lower()), "must be 0, 1 or empty (unknown)")),
        **dict.fromkeys(map(BOXES.format, classes), (lambda v: v if read_boxes(v) else None, f"must be {_BOXES_RULE}")),
        "mask_frame": (lambda v: v.lower() if v.lower() in FRAMES else None, "must be image, window or empty (image)"),
        "split": (lambda v: v if v in SPLITS else None, f"must be one of {', '.join(SPLITS)} or empty"),
        "study_date": (date_of, "must be an ISO date such as 2024-03-31, or empty"),
        "pixel_mm": (_pixel_mm, f"must be millimetres above 0, at most {LARGEST_PIXEL_MM:g}, such as 0.07, or empty"),
        "horizontal_flip": (lambda v: v.upper() if v.upper() in ("YES", "NO") else None, "must be YES, NO or empty"),
    }
    for name, (function, rule) in convert.items():
        before = table[name].tolist()
        after = [None if v is None else function(v) for v in before]
        bad = [b is not None and a is None for a, b in zip(after, before, strict=True)]
        problems.add(f"{name} {rule}", bad, table.index, before)
        table[name] = pd.Series(after, table.index, dtype=float if name in (*classes, "pixel_mm") else object)


def _check_groups(table: pd.DataFrame, classes: Sequence[str], problems: Problems) -> None:
    """Check what rows say together."""
    folded = pd.Series([v and v.lower() for v in table["image_id"]], table.index, dtype=object)
    twice = folded.notna() & folded.duplicated(keep=False)
    problems.add_groups("the same image_id more than once (upper and lower case count as the same)", folded, twice)

    def differs(keys: pd.Series, column: str) -> pd.Series:
        return table[column].groupby(keys).transform("nunique") > 1

    breast = (table["exam_id"] + "\n" + table["laterality"]).where(
        table["exam_id"].notna() & table["laterality"].notna()
    )
    for name in classes:
        problems.add_groups(f"{name} differs between images of the same breast", breast, differs(breast, name))
    exam, patient = table["exam_id"], table["patient_id"]
    problems.add_groups("the same exam_id for different patients", exam, differs(exam, "patient_id"))
    problems.add_groups("the same patient in different splits", patient, differs(patient, "split"))


def _find_files(table: pd.DataFrame, known: Collection[str], folder: Path, check: bool, problems: Problems) -> None:
    """Make the paths absolute. A further column may be about a class that is asked for later, or about something else:
    what is no file there stays as it is."""
    for name in path_columns(table):
        cells = _texts(table[name]).tolist()
        paths = [v and os.path.normpath(folder / v) for v in cells]
        if check or name != "path":
            lost = [p is not None and not os.path.isfile(p) for p in paths]  # noqa: PTH113
            if name in known:
                problems.add(f"{name}: there is no such file", lost, table.index, paths)
            else:
                paths = [v if gone else p for v, p, gone in zip(cells, paths, lost, strict=True)]
        table[name] = pd.Series(paths, table.index, dtype=object)


def read_boxes(text: str) -> tuple[Box, ...]:
    """The boxes of a cell, in pixels of the image file; none at all if one of them is no box."""
    boxes = []
    for part in text.strip().removesuffix(";").split(";"):
        try:
            top, left, bottom, right = map(float, part.split())
        except ValueError:
            return ()
        if not (0 <= top < bottom <= _FARTHEST and 0 <= left < right <= _FARTHEST):  # false for NaN, too
            return ()
        boxes.append((top, left, bottom, right))
    return tuple(boxes)


def _pixel_mm(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= LARGEST_PIXEL_MM else None


def date_of(text: str) -> str | None:
    """The date of a text in ISO form, with a time or without; None for anything else."""
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
    for name in path_columns(text):
        paths = [v and Path(v) for v in text[name]]
        written = [p and (p.relative_to(folder) if p.is_relative_to(folder) else p).as_posix() for p in paths]
        text[name] = pd.Series(written, text.index, dtype=object)
    return text
