"""A table of labels joined to the images of a scan.

A row of the table says which images it is about by any of its key columns, all of which must fit; empty cells do not
count. What it says of no image, and images of which no row says anything, are counted. Unknown stays unknown.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mammoseg.data.exams import Row
from mammoseg.data.tables import read_table
from mammoseg.records.label import CLASSES

KEYS = ("image_id", "path", "sop_uid", "exam_id", "study_uid", "patient_id")
"""Columns that lead to images, the narrowest first. Beside them `laterality`, `view` and `study_date` choose among these."""
CHOOSING = ("laterality", "view", "study_date")

_VALUES = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}
_SIDES = {"left": "L", "right": "R"}
_SHOWN = 5


class LabelError(ValueError):
    """A table of labels that cannot be used; the message names rows, never what is in them."""


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


def join_labels(path: Path, images: Sequence[Row], root: Path) -> Labels:
    """Labels of `images`, whose files are below `root`. Paths in the table are relative to it or to the table.

    Raises LabelError for a table without key or label, values that are no label, rows that contradict each other, and a
    label of 1 that fits several breasts; AdapterError if the file cannot be read as a table.
    """
    table = read_table(path, ())
    if not any(name in table for name in CLASSES) or not any(name in table for name in KEYS):
        raise LabelError(
            f"{path}: the columns are {', '.join(map(str, table.columns)) or 'none'}. Expected benign or malignant (or both) and "
            f"at least one of {', '.join(KEYS)}, which tells the images. Rename the columns."
        )
    find = _finder(table, images, root, path)
    by_image: list[dict[str, int]] = [{} for _ in images]
    breasts = [(image.exam_id, image.seen.laterality) for image in images]
    by_breast: dict[object, int] = {}
    wrong: dict[str, list[int]] = defaultdict(list)
    unmatched = []
    for number, cells in zip(table.index, table.to_dict("records"), strict=True):
        known = {str(name): str(value).strip() for name, value in cells.items()}
        labels = {name: _VALUES.get(known[name].lower()) for name in CLASSES if known.get(name)}
        if None in labels.values():
            wrong["a label is not 0, 1 or empty"].append(number)
        if not any(known.get(name) for name in KEYS):
            wrong[f"none of {', '.join(KEYS)} is filled in"].append(number)
            continue
        matches = find(known)
        if not matches:
            unmatched.append(number)
        if 1 in labels.values() and len({breasts[i] for i in matches}) > 1:
            wrong["a label of 1 fits several breasts or exams"].append(number)
        for name, value in labels.items():
            if value is None:
                continue
            for i in matches:
                by_image[i][name] = value
            if any(by_breast.setdefault((name, breasts[i]), value) != value for i in matches):
                wrong["another row says the opposite of the same breast"].append(number)
    if wrong:
        lines = "".join(f"\n  {text}: {_listed(numbers)}" for text, numbers in wrong.items())
        raise LabelError(
            f"{path}: these labels are wrong or ambiguous.{lines}\nExpected rows that each name an image, or one breast of one "
            "exam (laterality, exam_id or study_uid). Correct the rows, counted as in a spreadsheet, and scan again."
        )
    return Labels(by_image, len(table), tuple(unmatched))


def _finder(
    table: pd.DataFrame, images: Sequence[Row], root: Path, path: Path
) -> Callable[[Mapping[str, str]], list[int]]:
    """The function from the cells of a row to the images it is about."""
    names = [name for name in (*KEYS, *CHOOSING) if name in table]
    values = [{name: _values(image, name, root) for name in names} for image in images]
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, known in enumerate(values):
        for name in names:
            for value in known[name]:
                index[name, value].append(number)

    def find(cells: Mapping[str, str]) -> list[int]:
        wanted = {name: _wanted(name, cells[name], root, path.absolute().parent) for name in names if cells[name]}
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
        "patient_id": (seen.patient, image.patient_id),
        "laterality": (seen.laterality,),
        "view": (seen.view,),
        "study_date": (header.study_date if header else None,),
    }
    return {text for text in texts[name] if text}


def _wanted(name: str, cell: str, root: Path, folder: Path) -> set[str]:
    if name == "path":
        places = [os.path.normpath(base / cell) for base in (root, folder)]
        return {*places, *map(os.path.realpath, places)}
    if name == "laterality":
        return {_SIDES.get(cell.lower(), cell.upper())}
    return {cell.upper() if name == "view" else cell}


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_SHOWN]))}{more}"
