"""From a row of a table of labels to the images it is about.

A row is about an image if all its filled key cells are the image's. Where a cell is of no image, what programs do to ids
is undone, if exactly one id of the images and one of the table can then be meant: `10006.0` for 10006, zeros in front
that are lost (12 for 0012), another case; a path of another folder or machine is compared by the name of the file.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal

from mammoseg.data.columns import date_of
from mammoseg.ingest.exams import Row
from mammoseg.ingest.label_map import CHOOSING, KEYS
from mammoseg.ingest.spelling import essence, number
from mammoseg.io.dicom.views import read_position

_IDS = ("image_id", "exam_id", "patient_id")
_OF_OTHERS = ("image_id", "exam_id")
_SIDES: Mapping[str, Literal["L", "R"]] = {
    **dict.fromkeys(("l", "lt", "left", "left breast"), "L"),
    **dict.fromkeys(("r", "rt", "right", "right breast"), "R"),
}

Cells = Mapping[str, str]


class Matcher:
    """Finds the images of rows; `rows` are the cells of all of them by field, files are below `root`."""

    def __init__(self, rows: Iterable[Cells], images: Sequence[Row], root: Path, folder: Path) -> None:
        """Paths in the table are relative to `root` or to `folder`."""
        self._bases = (root, folder)
        rows = list(rows)
        self._names = [name for name in (*KEYS, *CHOOSING) if any(cells.get(name) for cells in rows)]
        self._values = [{name: _values(image, name, root) for name in self._names} for image in images]
        self._places: dict[PurePosixPath | None, int] = {image.seen.place: i for i, image in enumerate(images)}
        self._images: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._alike: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        for position, (image, known) in enumerate(zip(images, self._values, strict=True)):
            for name, values in known.items():
                for value in values:
                    self._images[name, value].append(position)
                    if name in _IDS:
                        self._alike[name, essence(value)].add(value)
            for value in {image.seen.place.name, image.seen.place.stem}:
                self._alike["path", value.casefold()].add(str(root / image.seen.place))
        for cells in rows:
            for name in (name for name in _IDS if cells.get(name)):
                self._asked[name, essence(cells[name])].add(number(cells[name]))

    def find(self, cells: Cells, place: PurePosixPath | None = None) -> tuple[list[int], bool]:
        """The images that a row is about, and whether an id or path had to be corrected for it.

        `place` is the file, if its name tells that the row is about it (ingest/file_rows.py): what the row calls image and
        exam may then be of another system.
        """
        here = self._places.get(place)
        wanted = {name: self._wanted(name, cells[name]) for name in self._names if cells.get(name)}
        corrected = False
        for name in [name for name in (*_IDS, "path") if name in wanted]:
            if not any((name, value) in self._images for value in wanted[name]):
                wanted[name] = self._corrected(name, cells[name])
                if not wanted[name] and here is not None and name in _OF_OTHERS:
                    del wanted[name]
                else:
                    corrected = True
        if here is None:
            narrowest = next(name for name in KEYS if name in wanted)
            candidates = sorted({i for value in wanted[narrowest] for i in self._images.get((narrowest, value), ())})
        else:
            candidates = [here]
        found = [i for i in candidates if all(self._values[i][name] & texts for name, texts in wanted.items())]
        return found, corrected and bool(found)

    def _wanted(self, name: str, cell: str) -> set[str]:
        if name == "path":
            places = [os.path.normpath(base / cell) for base in self._bases]
            return {*places, *map(os.path.realpath, places)}
        read: Callable[[str], str | None] = _READ.get(name, str)
        return {read(cell) or ""}

    def _corrected(self, name: str, cell: str) -> set[str]:
        """The one id or path that can be meant, if there is just one."""
        key = name, re.split(r"[\\/]", cell)[-1].casefold() if name == "path" else essence(cell)
        alike = self._alike.get(key, set())
        return alike if len(alike) == 1 and len(self._asked.get(key, ())) <= 1 else set()


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


def side_of(cell: str) -> Literal["L", "R"] | None:
    """L or R; None for anything else."""
    return _SIDES.get(" ".join(cell.lower().split()))


@lru_cache(maxsize=1000)
def _view(cell: str) -> str:
    return read_position(cell).view or cell.upper()


_READ: Mapping[str, Callable[[str], str | None]] = {"laterality": side_of, "view": _view, "study_date": date_of}
