"""A table of labels joined to the images of a scan.

A row of the table says which images it is about by any of its key columns, all of which must fit; empty cells do not
count. What it says of no image, and images of which no row says anything, are counted. Unknown stays unknown.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from mammoseg.data.exams import Row
from mammoseg.data.tables import read_own_table
from mammoseg.records.label import CLASSES

KEYS = ("image_id", "path", "sop_uid", "exam_id", "study_uid", "patient_id")
"""Columns that lead to images, the narrowest first. Beside them `laterality`, `view` and `study_date` choose among these."""
CHOOSING = ("laterality", "view", "study_date")

_VALUES = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}
_SIDES = {"l": "L", "left": "L", "r": "R", "right": "R"}
_SHOWN = 5


class LabelError(ValueError):
    """A table of labels that cannot be used; the message names rows, never what is in them."""


@dataclass(frozen=True)
class LabelTable:
    """A table of labels as text."""

    path: Path
    rows: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Cells by column, of every row that is not empty, numbered as in a spreadsheet."""
    names: Sequence[str]
    """Those of KEYS and CHOOSING that are columns."""


@dataclass(frozen=True)
class Labels:
    """What a table of labels gave."""

    by_image: Sequence[Mapping[str, int]]
    """For every row of the manifest its known labels."""
    rows: int
    unmatched: tuple[int, ...]
    """Rows of the table that are about no image, numbered as in a spreadsheet."""

    @property
    def unlabelled(self) -> int:
        """Images without any label."""
        return sum(not known for known in self.by_image)


def read_labels(path: Path) -> LabelTable:
    """The table, checked as far as that needs no image: so before all of them are looked at.

    Raises LabelError for a table without key or label and for cells that cannot be understood; AdapterError if the file
    cannot be read as a table.
    """
    table = read_own_table(path)
    if not any(name in table for name in CLASSES) or not any(name in table for name in KEYS):
        raise LabelError(
            f"{path}: the columns are {', '.join(map(str, table.columns)) or 'none'}. Expected benign or malignant (or both) and "
            f"at least one of {', '.join(KEYS)}, which tells the images. Rename the columns."
        )
    rows = {
        number: {str(name): str(cell) for name, cell in cells.items()}
        for number, cells in zip(table.index, table.to_dict("records"), strict=True)
    }
    wrong: dict[str, list[int]] = defaultdict(list)
    for number, cells in rows.items():
        for text in {text for name, (read, text) in _READ.items() if cells.get(name) and read(cells[name]) is None}:
            wrong[text].append(number)
        if not any(cells.get(name) for name in KEYS):
            wrong[f"none of {', '.join(KEYS)} is filled in"].append(number)
    _refuse(path, wrong)
    return LabelTable(path, rows, [name for name in (*KEYS, *CHOOSING) if name in table])


def join_labels(table: LabelTable, images: Sequence[Row], root: Path) -> Labels:
    """Labels of `images`, whose files are below `root`. Paths in the table are relative to it or to the table.

    Raises LabelError for rows that contradict each other, a label of 1 that fits several breasts, and if no row is about
    an image.
    """
    find = _finder(table, images, root)
    by_image: list[dict[str, int]] = [{} for _ in images]
    breasts = [(image.exam_id, image.seen.laterality) for image in images]
    by_breast: dict[object, int] = {}
    wrong: dict[str, list[int]] = defaultdict(list)
    unmatched = []
    for number, cells in table.rows.items():
        labels = {name: _VALUES[cells[name].lower()] for name in CLASSES if cells.get(name)}
        matches = find(cells)
        if not matches:
            unmatched.append(number)
        if 1 in labels.values() and len({breasts[i] for i in matches}) > 1:
            wrong["a label of 1 fits several breasts or exams"].append(number)
        for name, value in labels.items():
            for i in matches:
                by_image[i][name] = value
            if any(by_breast.setdefault((name, breasts[i]), value) != value for i in matches):
                wrong["another row says the opposite of the same breast"].append(number)
    _refuse(table.path, wrong)
    if images and unmatched and len(unmatched) == len(table.rows):
        raise LabelError(
            f"{table.path}: none of the {len(unmatched)} rows is about an image of this folder (compared: "
            f"{', '.join(table.names)}). Expected the ids of the DICOM headers or file names. Look whether a spreadsheet has "
            "taken leading zeros away (0 for 000), whether ids or dates were replaced, and whether table and folder belong "
            "together."
        )
    return Labels(by_image, len(table.rows), tuple(unmatched))


def _refuse(path: Path, wrong: Mapping[str, Sequence[int]]) -> None:
    if wrong:
        lines = "".join(f"\n  {text}: {_listed(numbers)}" for text, numbers in wrong.items())
        raise LabelError(
            f"{path}: these labels are wrong or ambiguous.{lines}\nExpected rows that each name an image, or one breast of one "
            "exam (laterality, exam_id or study_uid). Correct the rows, counted as in a spreadsheet, and scan again."
        )


def _finder(table: LabelTable, images: Sequence[Row], root: Path) -> Callable[[Mapping[str, str]], list[int]]:
    """The function from the cells of a row to the images it is about."""
    names, folder = table.names, table.path.absolute().parent
    values = [{name: _values(image, name, root) for name in names} for image in images]
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, known in enumerate(values):
        for name in names:
            for value in known[name]:
                index[name, value].append(number)

    def find(cells: Mapping[str, str]) -> list[int]:
        wanted = {name: _wanted(name, cells[name], root, folder) for name in names if cells[name]}
        narrowest = next(name for name in KEYS if name in wanted)
        candidates = sorted({i for value in wanted[narrowest] for i in index.get((narrowest, value), ())})
        return [i for i in candidates if all(values[i][name] & texts for name, texts in wanted.items())]

    return find


def _values(image: Row, name: str, root: Path) -> set[str]:
    """What a key column may hold for this image."""
    seen, header = image.seen, image.seen.header
    texts: dict[str, tuple[str | None, ...]] = {
        "image_id": (image.image_id,),
        "path": (str(root / seen.place), os.path.realpath(root / seen.place)),
        "sop_uid": (header.sop_uid if header else None,),
        "exam_id": (image.exam_id, None if header else seen.exam),
        "study_uid": (header.study_uid if header else None,),
        "patient_id": (seen.patient, image.patient_id, None if header else seen.exam),
        "laterality": (seen.laterality,),
        "view": (seen.view,),
        "study_date": (header.study_date if header else None,),
    }
    return {text for text in texts[name] if text}


def _wanted(name: str, cell: str, root: Path, folder: Path) -> set[str]:
    if name == "path":
        places = [os.path.normpath(base / cell) for base in (root, folder)]
        return {*places, *map(os.path.realpath, places)}
    return {{"laterality": _side, "view": str.upper, "study_date": _date}.get(name, str)(cell) or ""}


def _side(cell: str) -> str | None:
    return _SIDES.get(cell.lower())


def _date(cell: str) -> str | None:
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError:
        return None


def _label(cell: str) -> int | None:
    return _VALUES.get(cell.lower())


_READ: Mapping[str, tuple[Callable[[str], object], str]] = {
    **dict.fromkeys(CLASSES, (_label, "a label is not 0, 1 or empty")),
    "laterality": (_side, "the laterality is not L, R, left, right or empty"),
    "study_date": (_date, "the study_date is no date such as 2024-01-31 or 20240131"),
}
"""Columns with cells that can be wrong: the function that gives None for those, and what is said of them."""


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_SHOWN]))}{more}"
