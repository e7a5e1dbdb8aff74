"""From the rows of a table of labels to what they are about: very files, before any is opened, and then images.

A row is about an image if all its filled key cells are the image's. Where a cell is of no image, what programs do to ids
is undone, if exactly one id of the images and one of the table can then be meant: `10006.0` for 10006, zeros in front
that are lost (12 for 0012), another case; a path of another folder or machine is compared by the name of the file.

Rows about a very file, by its path, its name or its stem as image_id, tell what the name of a picture or a silent header does
not: side, view, patient, exam. Wider keys do not tell files; a name that several files or several rows have tells nothing.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from mammoseg.data.columns import date_of
from mammoseg.ingest.examine import LEFT_OUT
from mammoseg.ingest.exams import Row
from mammoseg.ingest.label_map import CHOOSING, KEYS, side_of
from mammoseg.ingest.label_table import LabelTable, refuse
from mammoseg.ingest.stated import essence, number
from mammoseg.io.dicom.views import read_position

_CHANGED = ("image_id", "exam_id", "patient_id", "path")
"""Fields whose cells programs change."""
_OF_OTHERS = ("image_id", "exam_id")
_CONTRADICTION = "several sides, views, patients or exams of one file"

Cells = Mapping[str, str]


class _Keys:
    """Finds things by cells of key columns; `known` is what these may hold for each thing, by field."""

    def __init__(self, known: Sequence[Mapping[str, set[str]]], table: LabelTable, root: Path) -> None:
        """Paths in the table are relative to `root` or to the table."""
        self._bases = (root, table.path.absolute().parent)
        self._exact: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._alike: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        for thing, fields in enumerate(known):
            for name, value in ((name, value) for name, values in fields.items() for value in values):
                self._exact[name, value].add(thing)
                if name in _CHANGED:
                    self._alike[name, _essence(name, value)].add(value)
                    if name == "path":
                        self._alike[name, PurePosixPath(value).stem.casefold()].add(value)
        for cells in table.rows.values():
            for name in (name for name in _CHANGED if cells.get(name)):
                self._asked[name, _essence(name, cells[name])].add(number(cells[name]))

    def find(self, name: str, cell: str) -> tuple[set[int], bool]:
        """The things that have the cell, and whether it had to be corrected for that."""
        found = self._having(name, self._meant(name, cell))
        if found or name not in _CHANGED:
            return found, False
        key = name, _essence(name, cell)
        alike = [self._having(name, [value]) for value in self._alike.get(key, ())]
        one = len({frozenset(things) for things in alike}) == 1 == len(self._asked[key])
        return (alike[0] if one else set()), one

    def _having(self, name: str, values: Iterable[str]) -> set[int]:
        return {thing for value in values for thing in self._exact.get((name, value), ())}

    def _meant(self, name: str, cell: str) -> set[str]:
        if name == "path":
            places = [os.path.normpath(base / cell) for base in self._bases]
            return {*places, *map(os.path.realpath, places)}
        read: Callable[[str], str | None] = _READ.get(name, str)
        return {read(cell) or ""}


def rows_of_files(
    table: LabelTable, files: Sequence[PurePosixPath], root: Path
) -> tuple[dict[int, PurePosixPath], dict[PurePosixPath, dict[str, str]]]:
    """Row of the table -> the one of `files`, which are below `root`, that it is about; and what the rows tell of a file.

    That is laterality (L or R), view, patient, exam, and the `flag` of a view that is left out. Raises LabelError for rows
    that contradict each other.
    """
    keys = _Keys([{"image_id": {place.stem}, "path": {str(root / place)}} for place in files], table, root)
    found: dict[int, PurePosixPath] = {}
    values: dict[PurePosixPath, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    wrong: list[int] = []
    for row, cells in table.rows.items():
        meant = [keys.find(name, cells[name])[0] for name in ("image_id", "path") if cells.get(name)]
        common = set.intersection(*filter(None, meant)) if any(meant) else set()
        if len(common) != 1:  # keys that lead to none are those of another system
            continue
        place = found[row] = files[common.pop()]
        for name, texts in _told(cells).items():
            values[place][name] |= texts
        wrong += [row] if any(len(texts) > 1 for texts in values[place].values()) else []
    refuse(table.path, {_CONTRADICTION: wrong} if wrong else {}, "")
    return found, {place: {n: min(texts) for n, texts in told.items()} for place, told in values.items()}


def rows_of_images(
    table: LabelTable, images: Sequence[Row], root: Path, files: Mapping[int, PurePosixPath]
) -> dict[int, tuple[list[int], bool]]:
    """Row of the table -> the images that it is about, and whether an id or path had to be corrected for it.

    The files of the images are below `root`. `files` are those that rows are known to be about: what such a row calls image
    and exam may be of another system.
    """
    names = [name for name in (*KEYS, *CHOOSING) if any(cells.get(name) for cells in table.rows.values())]
    keys = _Keys([{name: _values(image, name, root) for name in names} for image in images], table, root)
    places = {image.seen.place: i for i, image in enumerate(images)}
    answer = {}
    for row, cells in table.rows.items():
        here = places.get(files[row]) if row in files else None
        found = {name: keys.find(name, cells[name]) for name in names if cells.get(name)}
        fitting = [
            things for name, (things, _) in found.items() if things or here is None or name not in _OF_OTHERS
        ] + ([] if here is None else [{here}])
        about = set.intersection(*fitting)
        answer[row] = sorted(about), bool(about) and any(corrected for _, corrected in found.values())
    return answer


def _essence(name: str, cell: str) -> str:
    return re.split(r"[\\/]", cell)[-1].casefold() if name == "path" else essence(cell)


def _values(image: Row, name: str, root: Path) -> set[str]:
    """What a key column may hold for this image."""
    seen, header = image.seen, image.seen.header
    if name == "path":
        return {str(root / seen.place), os.path.realpath(root / seen.place)}
    texts: dict[str, tuple[str | None, ...]] = {
        "image_id": (image.image_id,),
        "sop_uid": (header.sop_uid if header else None,),
        "exam_id": (image.exam_id, None if header else seen.exam),
        "study_uid": (header.study_uid if header else None,),
        "patient_id": (seen.patient, image.patient_id, None if header else seen.exam),
        "laterality": (seen.laterality,),
        "view": (seen.view,),
        "study_date": (header.study_date if header else None,),
    }
    return {text for text in texts[name] if text}


def _told(cells: Cells) -> dict[str, set[str]]:
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


@lru_cache(maxsize=1000)
def _view(cell: str) -> str:
    return read_position(cell).view or cell.upper()


_READ: Mapping[str, Callable[[str], str | None]] = {"laterality": side_of, "view": _view, "study_date": date_of}
