"""Rows of a table of labels that are about one very file, by its path, its name or its stem as image_id.

They tell what the name of a picture or a silent header does not: side, view, patient, exam. So they are found before any
file is opened. Wider keys do not tell files; a name that several files or several rows have tells nothing.
"""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mammoseg.ingest.examine import LEFT_OUT
from mammoseg.ingest.label_match import side_of
from mammoseg.ingest.label_table import LabelTable, refuse
from mammoseg.ingest.spelling import essence, number
from mammoseg.io.dicom.views import read_position

_CONTRADICTION = "several sides, views, patients or exams of one file"


@dataclass(frozen=True)
class FileRows:
    """What a table says of files."""

    files: Mapping[int, PurePosixPath] = field(default_factory=dict)
    """Row of the table -> the file that it is about, relative to the folder."""
    told: Mapping[PurePosixPath, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """File -> laterality (L or R), view, patient, exam, and the `flag` of a view that is left out, as its rows tell them."""


def rows_of_files(table: LabelTable, files: Sequence[PurePosixPath], root: Path) -> FileRows:
    """The rows of `table` about any of `files`, which are below `root`. Paths are relative to it or to the table.

    Raises LabelError for rows that contradict each other.
    """
    keys = _Keys(table, files, root)
    found = {number: place for number, cells in table.rows.items() if (place := keys.file(cells)) is not None}
    values: dict[PurePosixPath, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    wrong: dict[str, list[int]] = defaultdict(list)
    for row, place in found.items():
        for name, texts in _told(table.rows[row]).items():
            values[place][name] |= texts
            if len(values[place][name]) > 1 and row not in wrong[_CONTRADICTION]:
                wrong[_CONTRADICTION].append(row)
    refuse(table.path, {text: rows for text, rows in wrong.items() if rows}, "")
    return FileRows(found, {place: {n: min(texts) for n, texts in told.items()} for place, told in values.items()})


class _Keys:
    """Finds the file that is meant by a row."""

    def __init__(self, table: LabelTable, files: Sequence[PurePosixPath], root: Path) -> None:
        self._bases = (root, table.path.absolute().parent)
        self._paths = {str(root / place): place for place in files}
        self._exact: dict[str, set[PurePosixPath]] = defaultdict(set)
        self._alike: dict[tuple[str, str], set[PurePosixPath]] = defaultdict(set)
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        for place in files:
            self._exact[place.stem].add(place)
            self._alike["image_id", essence(place.stem)].add(place)
            for name in (place.name, place.stem):
                self._alike["path", name.casefold()].add(place)
        for cells in table.rows.values():
            for key in ("image_id", "path"):
                if cell := cells.get(key):
                    self._asked[_likeness(key, cell)].add(cell)

    def file(self, cells: Mapping[str, str]) -> PurePosixPath | None:
        """The one file that all keys lead to; keys that lead to none are those of another system."""
        meant = [self._meant(key, cells[key]) for key in ("image_id", "path") if cells.get(key)]
        common = set.intersection(*filter(None, meant)) if any(meant) else set()
        return common.pop() if len(common) == 1 else None

    def _meant(self, key: str, cell: str) -> set[PurePosixPath]:
        if key == "image_id":
            exact = self._exact.get(cell, set())
        else:
            places = [os.path.normpath(base / cell) for base in self._bases]
            exact = {self._paths[path] for path in (*places, *map(os.path.realpath, places)) if path in self._paths}
        likeness = _likeness(key, cell)
        return exact or (self._alike.get(likeness, set()) if len(self._asked[likeness]) == 1 else set())


def _likeness(key: str, cell: str) -> tuple[str, str]:
    return key, re.split(r"[\\/]", cell)[-1].casefold() if key == "path" else essence(cell)


def _told(cells: Mapping[str, str]) -> dict[str, set[str]]:
    view = read_position(cells.get("view", ""))
    told: dict[str, set[str | None]] = {
        "laterality": {side_of(cells.get("laterality", "")), view.side},
        "view": {view.view},
        "patient": {number(cells.get("patient_id", ""))},
        "exam": {number(cells.get("exam_id", ""))},
        "flag": {next((flag for flag in LEFT_OUT if flag in view.flags), "")},
    }
    known = {name: {text for text in texts if text} for name, texts in told.items()}
    return {name: texts for name, texts in known.items() if texts}
