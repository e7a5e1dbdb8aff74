"""The exam list of the published GMIC, GLAM and breast-cancer-classifier software (a pickle) -> a manifest.

The file comes from outside: it is read as data (io/pickles.py), and its ids only become file names after a check.
"""

import logging
import re
import reprlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.data.manifest import Manifest
from mammoseg.data.masks import WINDOW
from mammoseg.io.pickles import load_plain
from mammoseg.io.runs import is_safe_id
from mammoseg.records.label import CLASSES
from mammoseg.wording import LINES, listed

logger = logging.getLogger(__name__)

VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")
"""Keys of an exam, in the order in which the published software goes through them."""
FIRST_OF_VIEW = "first_of_view"
"""Column: 1 for the first image of its view in its exam, the only one the published software classifies; else 0."""

_SUFFIXES = (".png", ".pgm", ".tif", ".tiff")
_SIDES = {"L": "left", "R": "right"}
_NAMED_VIEW = re.compile(r"(?P<exam>.+?)_(?P<side>L|R)[-_](?P<view>CC|MLO)(?:[._-].*)?")
_SHOWN = 10
_WIDTH = 80
_MOST_PROBLEMS = 1000
"""Exams after so many problems are not looked at: a megabyte of empty exams must not fill the memory with messages."""


Rows = list[dict[str, Any]]
"""Columns of the manifest of some images, and `_FILE`."""
_FILE = "file"
"""What the list calls the image: the id, perhaps with `.png`."""


class ExamListError(ValueError):
    """An exam list that cannot be used; the message lists every problem with the number of the exam, from 0."""


def make_manifest(exam_list: Path, images: Path, masks: Path | None = None) -> Manifest:
    """The images of an exam list as a manifest: exams in the order of the list, views in the order of `VIEWS`.

    `images` is the folder of the image files (an image that is not there keeps its row and the path of a PNG file),
    `masks` that of `<image_id>_benign.png` and `<image_id>_malignant.png`, in the frame of the model window. A list from
    before or after cropping will do; crop windows and centres in it are not read. See docs/reference/exam_list.md.

    Raises PickleReadError if the file is no pickle of plain values, ExamListError for an unusable list or folder.
    """
    problems: list[str] = []
    content: Any = load_plain(exam_list)
    exams = _read_exams(content, problems)
    _check_unique(exams, problems)
    if not problems and not any(exams):
        problems.append(f"no image in any of {len(exams)} exams")
    if problems:
        rest = "; exams after these were not looked at" if len(problems) > _MOST_PROBLEMS else ""
        raise ExamListError(
            f"{exam_list}: this exam list cannot be used as it is.\n  {listed(problems, _SHOWN, LINES)}{rest}\n"
            "Expected a list of dicts, one per exam, counted from 0; see docs/reference/exam_list.md. "
            "Correct these exams and write the list again."
        )
    present = _file_names(images, "images")
    drawn = _file_names(masks, "masks") if masks is not None else frozenset()
    for exam_id, rows in zip(_exam_ids(exams), exams, strict=True):
        for row in rows:
            row |= {"patient_id": exam_id, "exam_id": exam_id, "path": _path(images, row, present)}
            row |= _masks(masks.absolute(), row["image_id"], drawn) if masks is not None else {}
    table = pd.DataFrame([row for rows in exams for row in rows]).drop(columns=_FILE)
    absent = table.loc[[Path(path).name not in present for path in table["path"]], "image_id"]
    if len(absent):
        logger.warning("%s: %d of %d images have no file; first %s", exam_list, len(absent), len(table), absent.iloc[0])
    if masks is not None and table["mask_frame"].isna().all():
        logger.warning(
            "%s: no mask of this exam list; expected names such as %s_benign.png", masks, table["image_id"][0]
        )
    _tell_what_is_odd(exam_list, content, exams)
    return Manifest.from_table(table, exam_list)


def _read_exams(content: object, problems: list[str]) -> list[Rows]:
    """The images of each exam."""
    if not isinstance(content, list):
        problems.append(f"it holds a {type(content).__name__}; expected a list")
        return []
    if not content:
        problems.append("the list is empty; expected at least one exam")
    exams: list[Rows] = []
    first: dict[int, int] = {}
    """Identity of an exam -> where it stands first: a pickle can hold one a million times, for two bytes each."""
    for number, exam in enumerate(content):
        if len(problems) > _MOST_PROBLEMS:
            break
        if first.setdefault(id(exam), number) != number:
            problems.append(f"exam {number}: it is exam {first[id(exam)]} once more; expected every exam once")
        elif isinstance(exam, dict):
            found: list[str] = []
            exams.append(_read_exam(exam, found))
            problems += [f"exam {number}: {text}" for text in found]
        else:
            exams.append([])
            problems.append(f"exam {number}: it is a {type(exam).__name__}; expected a dict")
    return exams


def _read_exam(exam: dict[Any, Any], problems: list[str]) -> Rows:
    flip = exam.get("horizontal_flip")
    if not isinstance(flip, str) or flip not in ("YES", "NO"):
        found = _short(flip) if "horizontal_flip" in exam else "missing"
        problems.append(f"horizontal_flip is {found}; expected the text 'YES' or 'NO'")
    labels = {} if exam.get("cancer_label") is None else exam["cancer_label"]
    if not isinstance(labels, dict):
        problems.append(f"cancer_label is {_short(labels)}; expected a dict of 0 and 1")
        labels = {}
    of_side = {side: _labels(word, labels, problems) for side, word in _SIDES.items()}
    rows = []
    for view in VIEWS:
        files = [] if exam.get(view) is None else exam[view]
        if not isinstance(files, list):
            problems.append(f"{view} is {_short(files)}; expected a list of image ids, which may be empty")
            continue
        for position, file in enumerate(files):
            image_id = file[:-4] if isinstance(file, str) and file.lower().endswith(".png") else file
            if not isinstance(image_id, str) or not is_safe_id(image_id):
                expected = "expected an id such as '0_L-CC': letters, digits, '.', '_', '-', at most 128"
                problems.append(f"{view} holds {_short(file)}; {expected}")
                continue
            side, _, name = view.partition("-")
            about = {_FILE: file, "image_id": image_id, "laterality": side, "view": name, **of_side[side]}
            rows.append({**about, "horizontal_flip": flip, FIRST_OF_VIEW: int(position == 0)})
    return rows


def _labels(side: str, content: dict[Any, Any], problems: list[str]) -> dict[str, int | None]:
    """Class -> 0, 1 or None (unknown)."""
    labels: dict[str, int | None] = dict.fromkeys(CLASSES)
    for name in CLASSES:
        value = content.get(f"{side}_{name}")
        if isinstance(value, int | float) and value in (0, 1):
            labels[name] = int(value)
        elif value is not None and value == value:  # not NaN
            problems.append(f"{side}_{name} is {_short(value)}; expected 0 or 1, or no such key (unknown)")
    return labels


def _check_unique(exams: Sequence[Rows], problems: list[str]) -> None:
    """Upper and lower case count as the same, as in a manifest."""
    places: dict[str, list[tuple[str, int]]] = {}
    for number, rows in enumerate(exams):
        for row in rows:
            places.setdefault(row["image_id"].lower(), []).append((row["image_id"], number))
    for found in (found for found in places.values() if len(found) > 1):
        numbers = ", ".join(str(number) for _, number in found[:_SHOWN])
        problems.append(f"the image id {found[0][0]!r} stands there {len(found)} times (exam {numbers}); expected once")


def _exam_ids(exams: Sequence[Rows]) -> list[str]:
    """What all image ids of an exam begin with before `_L-CC` and the like, if no other exam has it; else exam_0 ..."""
    begins = []
    for rows in exams:
        matches = [_NAMED_VIEW.fullmatch(row["image_id"]) for row in rows]
        names = {match["exam"] if match else None for match in matches}
        begins.append(names.pop() if len(names) == 1 else None)
    count = Counter(begins)
    positions = [f"exam_{number}" for number in range(len(exams))]
    taken = set(positions)
    return [
        begin if begin is not None and count[begin] == 1 and (begin == position or begin not in taken) else position
        for begin, position in zip(begins, positions, strict=True)
    ]


def _path(folder: Path, row: dict[str, Any], present: frozenset[str]) -> str:
    names = (row[_FILE], *(row["image_id"] + suffix for suffix in _SUFFIXES))
    known = (name for name in names if name in present and name.lower().endswith(_SUFFIXES))
    return str(folder.absolute() / next(known, f"{row['image_id']}.png"))


def _masks(folder: Path, image_id: str, drawn: frozenset[str]) -> dict[str, str | None]:
    names = {f"{label}_mask": f"{image_id}_{label}.png" for label in CLASSES}
    found = {column: str(folder / name) if name in drawn else None for column, name in names.items()}
    return found | {"mask_frame": WINDOW if any(found.values()) else None}


def _file_names(folder: Path, what: str) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError as error:
        raise ExamListError(
            f"{folder}: the folder of the {what} cannot be read ({error.strerror}). Expected a folder of image files. "
            "Check the path and the access rights."
        ) from None


def _tell_what_is_odd(exam_list: Path, content: Sequence[dict[str, Any]], exams: Sequence[Rows]) -> None:
    """And can be used all the same."""
    if empty := [number for number, rows in enumerate(exams) if not rows]:
        logger.warning("%s: %d exams have no image; first exam %d", exam_list, len(empty), empty[0])
    if unknown := [n for n, exam in enumerate(content) if (exam.get("cancer_label") or {}).get("unknown") == 1]:
        text = "%s: %d exams are marked unknown; their labels are taken as they stand; first exam %d"
        logger.warning(text, exam_list, len(unknown), unknown[0])
    named = [(row, _NAMED_VIEW.fullmatch(row["image_id"])) for rows in exams for row in rows]
    if other := [r for r, m in named if m and (m["side"], m["view"]) != (r["laterality"], r["view"])]:
        logger.warning(
            "%s: %d image ids name another view than the list does, which is followed; first %s under %s-%s",
            *(exam_list, len(other), *(other[0][name] for name in ("image_id", "laterality", "view"))),
        )


def _short(value: object) -> str:
    """For messages: bounded, and safe for values that contain themselves."""
    return reprlib.repr(value)[:_WIDTH]
