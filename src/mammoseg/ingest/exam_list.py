"""The exam list of the published GMIC, GLAM and breast-cancer-classifier software (a pickle) -> a manifest.

The file comes from outside: it is read as data (io/pickles.py), and its ids only become file names after a check.
"""

import logging
import re
import reprlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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


class ExamListError(ValueError):
    """An exam list that cannot be used; the message lists every problem with the number of the exam, from 0."""


@dataclass(frozen=True)
class _Image:
    image_id: str
    file: str
    """As the list names it: the id, perhaps with `.png`."""
    view: str
    """One of VIEWS."""
    first: bool
    """Whether it is the first one of its view."""


@dataclass(frozen=True, slots=True)
class _Exam:
    horizontal_flip: str
    labels: dict[str, dict[str, int | None]]
    """Side (L, R) -> class -> 0, 1 or None (unknown)."""
    unknown: bool
    """Whether cancer_label says so, of an exam that may have labels nevertheless."""
    images: list[_Image]


def make_manifest(exam_list: Path, images: Path, masks: Path | None = None) -> Manifest:
    """The images of an exam list as a manifest: exams in the order of the list, views in the order of `VIEWS`.

    `images` is the folder of the image files (an image that is not there keeps its row and the path of a PNG file),
    `masks` that of `<image_id>_benign.png` and `<image_id>_malignant.png`, in the frame of the model window. A list from
    before or after cropping will do; crop windows and centres in it are not read. See docs/reference/exam_list.md.

    Raises PickleReadError if the file is no pickle of plain values, ExamListError for an unusable list or folder.
    """
    problems: list[str] = []
    exams = _read_exams(load_plain(exam_list), problems)
    _check_unique(exams, problems)
    if not problems and not any(exam.images for exam in exams):
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
    rows: list[dict[str, Any]] = []
    for exam_id, exam in zip(_exam_ids(exams), exams, strict=True):
        for image in exam.images:
            row = {"patient_id": exam_id, "exam_id": exam_id} | _row(exam, image, images.absolute(), present)
            rows.append(row | (_masks(image, masks.absolute(), drawn) if masks is not None else {}))
    table = pd.DataFrame(rows)
    _warn(exam_list, exams, table, present, masks)
    return Manifest.from_table(table, exam_list)


def _read_exams(content: object, problems: list[str]) -> list[_Exam]:
    if not isinstance(content, list):
        problems.append(f"it holds a {type(content).__name__}; expected a list")
        return []
    if not content:
        problems.append("the list is empty; expected at least one exam")
    exams: list[_Exam] = []
    first: dict[int, int] = {}
    """Identity of an exam -> where it stands first: a pickle can hold one a million times, for two bytes each."""
    for number, exam in enumerate(content):
        if len(problems) > _MOST_PROBLEMS:
            break
        if first.setdefault(id(exam), number) != number:
            problems.append(f"exam {number}: it is exam {first[id(exam)]} once more; expected every exam once")
        else:
            exams.append(_read_exam(number, exam, problems))
    return exams


def _read_exam(number: int, content: object, problems: list[str]) -> _Exam:
    where = f"exam {number}"
    if not isinstance(content, dict):
        problems.append(f"{where}: it is a {type(content).__name__}; expected a dict")
        return _Exam("", {}, False, [])
    flip = content.get("horizontal_flip")
    if not isinstance(flip, str) or flip not in ("YES", "NO"):
        found = _short(flip) if "horizontal_flip" in content else "missing"
        problems.append(f"{where}: horizontal_flip is {found}; expected the text 'YES' or 'NO'")
    labels = {} if content.get("cancer_label") is None else content["cancer_label"]
    if not isinstance(labels, dict):
        problems.append(f"{where}: cancer_label is {_short(labels)}; expected a dict of 0 and 1")
        labels = {}
    images = [image for view in VIEWS for image in _images(where, view, content.get(view), problems)]
    read = _labels(where, labels, problems)
    return _Exam(flip if isinstance(flip, str) else "", read if images else {}, labels.get("unknown") == 1, images)


def _labels(where: str, content: dict[Any, Any], problems: list[str]) -> dict[str, dict[str, int | None]]:
    labels: dict[str, dict[str, int | None]] = {}
    for side, word in _SIDES.items():
        labels[side] = dict.fromkeys(CLASSES)
        for name in CLASSES:
            value = content.get(f"{word}_{name}")
            if isinstance(value, int | float) and value in (0, 1):
                labels[side][name] = int(value)
            elif value is not None and value == value:  # not NaN
                problems.append(f"{where}: {word}_{name} is {_short(value)}; expected 0 or 1, or no such key (unknown)")
    return labels


def _images(where: str, view: str, content: object, problems: list[str]) -> list[_Image]:
    if content is None:
        return []
    if not isinstance(content, list | tuple):
        problems.append(f"{where}: {view} is {_short(content)}; expected a list of image ids, which may be empty")
        return []
    images = []
    for position, file in enumerate(content):
        image_id = file[:-4] if isinstance(file, str) and file.lower().endswith(".png") else file
        if isinstance(image_id, str) and is_safe_id(image_id):
            images.append(_Image(image_id, file, view, position == 0))
        else:
            expected = "expected an id such as '0_L-CC': letters, digits, '.', '_', '-', at most 128"
            problems.append(f"{where}: {view} holds {_short(file)}; {expected}")
    return images


def _check_unique(exams: Sequence[_Exam], problems: list[str]) -> None:
    """Upper and lower case count as the same, as in a manifest."""
    places: dict[str, list[tuple[str, int]]] = {}
    for number, exam in enumerate(exams):
        for image in exam.images:
            places.setdefault(image.image_id.lower(), []).append((image.image_id, number))
    for found in (found for found in places.values() if len(found) > 1):
        numbers = ", ".join(str(number) for _, number in found[:_SHOWN])
        problems.append(f"the image id {found[0][0]!r} stands there {len(found)} times (exam {numbers}); expected once")


def _exam_ids(exams: Sequence[_Exam]) -> list[str]:
    """What all image ids of an exam begin with before `_L-CC` and the like, if no other exam has it; else exam_0 ..."""
    begins = []
    for exam in exams:
        matches = [_NAMED_VIEW.fullmatch(image.image_id) for image in exam.images]
        names = {match["exam"] if match else None for match in matches}
        begins.append(names.pop() if len(names) == 1 else None)
    count = Counter(begins)
    positions = [f"exam_{number}" for number in range(len(exams))]
    taken = set(positions)
    return [
        begin if begin is not None and count[begin] == 1 and (begin == position or begin not in taken) else position
        for begin, position in zip(begins, positions, strict=True)
    ]


def _row(exam: _Exam, image: _Image, folder: Path, present: frozenset[str]) -> dict[str, Any]:
    side, view = image.view.split("-")
    names = (image.file, *(image.image_id + suffix for suffix in _SUFFIXES))
    known = (name for name in names if name in present and name.lower().endswith(_SUFFIXES))
    return {
        "image_id": image.image_id,
        "laterality": side,
        "view": view,
        "path": str(folder / next(known, f"{image.image_id}.png")),
        **exam.labels[side],
        "horizontal_flip": exam.horizontal_flip,
        FIRST_OF_VIEW: int(image.first),
    }


def _masks(image: _Image, folder: Path, drawn: frozenset[str]) -> dict[str, str | None]:
    names = {f"{label}_mask": f"{image.image_id}_{label}.png" for label in CLASSES}
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


def _warn(
    exam_list: Path, exams: Sequence[_Exam], table: pd.DataFrame, present: frozenset[str], masks: Path | None
) -> None:
    """Tell what is unusual but usable."""
    absent = table.loc[[Path(path).name not in present for path in table["path"]], "image_id"]
    if len(absent):
        logger.warning("%s: %d of %d images have no file; first %s", exam_list, len(absent), len(table), absent.iloc[0])
    if masks is not None and table["mask_frame"].isna().all():
        logger.warning(
            "%s: no mask of this exam list; expected names such as %s_benign.png", masks, table["image_id"][0]
        )
    empty = [number for number, exam in enumerate(exams) if not exam.images]
    if empty:
        logger.warning("%s: %d exams have no image; first exam %d", exam_list, len(empty), empty[0])
    unknown = [number for number, exam in enumerate(exams) if exam.unknown]
    if unknown:
        text = "%s: %d exams are marked unknown; their labels are taken as they stand; first exam %d"
        logger.warning(text, exam_list, len(unknown), unknown[0])
    named = [(image, _NAMED_VIEW.fullmatch(image.image_id)) for exam in exams for image in exam.images]
    other = [image for image, match in named if match and f"{match['side']}-{match['view']}" != image.view]
    if other:
        logger.warning(
            "%s: %d image ids name another view than the list does, which is followed; first %s under %s",
            *(exam_list, len(other), other[0].image_id, other[0].view),
        )


def _short(value: object) -> str:
    """For messages: bounded, and safe for values that contain themselves."""
    return reprlib.repr(value)[:_WIDTH]
