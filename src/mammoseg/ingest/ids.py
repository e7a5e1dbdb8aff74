"""What exams, images and files are called. Ids depend on the set of files alone: the same files get the same in every run.

DICOM      Hashes of patient and study (ingest/pseudonyms.py), `e1f0c9a7b2d34_L-CC`: image ids come into logs, figures and names
           of files, where ids of patients do not belong. A date is never part of them. Names of DICOM files are often those
           of patients or UIDs, and not used.
Pictures   As their files are called, `P002_left_mlo`, which their user has done and finds again; with the folders where a
           name is that of several files. Exams are called by what names tell: `P002`, `P002/2020`.
Salted     All of them are hashes, and nothing readable is left.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

from mammoseg.ingest.examine import DICOM_SUFFIXES, PICTURE_SUFFIXES, Seen
from mammoseg.ingest.pseudonyms import pseudonym

_LONGEST = 128  # characters that an id may have (io/runs.py)
_DIGITS = 8


def exam_ids(used: Sequence[Seen], exams: Sequence[tuple[str, str]], salt: bytes | None) -> list[str]:
    """The id of the exam of every image, from its patient and what it is called there."""
    hashed = {exam: pseudonym(salt or b"", "exam", *exam) for exam in exams}
    named = {exam for exam, seen in zip(exams, used, strict=True) if seen.header is None and salt is None}
    plain = {(patient, exam): exam if _tells(exam, patient) else f"{patient}/{exam}" for patient, exam in named}
    counts = Counter(plain.values())
    return [plain[exam] if exam in named and counts[plain[exam]] == 1 else hashed[exam] for exam in exams]


def image_ids(used: Sequence[Seen], exams: Sequence[str], hashed: bool) -> list[str]:
    """A name for every image, safe for files; `exams` are the ids of their exams.

    Further images of a name end in _2, _3, ... in the order of their SOP Instance UID or path.
    """
    pictures = file_ids([seen.place for seen in used if seen.header is None and not hashed])
    names = [
        pictures.get(seen.place) or f"{exam}_{seen.laterality}-{seen.view}"
        for seen, exam in zip(used, exams, strict=True)
    ]
    return numbered(names, [_order(seen) for seen in used])


def file_ids(places: Collection[PurePosixPath]) -> dict[PurePosixPath, str]:
    """An id for each of different paths: the name of the file, with as many of its folders in front as tell it from others.

    Ids are safe as names of files, also where capitals do not count.
    """
    parts = dict.fromkeys(places, 1)
    while True:
        ids = {place: _joined(place, count) for place, count in parts.items()}
        counts = Counter(name.lower() for name in ids.values())
        longer = [p for p, name in ids.items() if counts[name.lower()] > 1 and parts[p] < len(p.parts)]
        if not longer:  # what folders do not tell apart: `a.png` and `a.dcm`, `a b` and `a-b`
            return dict(zip(ids, numbered(list(ids.values()), list(ids)), strict=True))
        for place in longer:
            parts[place] += 1


def numbered(names: Sequence[str], order: Sequence[Any]) -> list[str]:
    """The names; of the same ones, for which capitals do not count, all but the first in `order` end in _2, _3, ..."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        rows[name.lower()].append(row)
    taken, answer = set(rows), list(names)
    for same in rows.values():
        number = 2
        for row in sorted(same, key=lambda row: order[row])[1:]:
            base = names[row][: _LONGEST - _DIGITS]
            while f"{base}_{number}".lower() in taken:
                number += 1
            answer[row] = f"{base}_{number}"
            taken.add(answer[row].lower())
    return answer


def _tells(exam: str, patient: str) -> bool:
    """Whether what an exam is called has all parts of its patient: `site1/2020/0012` and `site1/0012`."""
    return set(patient.split("/")) <= set(exam.split("/"))


def _order(seen: Seen) -> tuple[str, str]:
    return (seen.header.sop_uid or "" if seen.header else "", seen.place.as_posix())


def _joined(place: PurePosixPath, count: int) -> str:
    """The last `count` parts of a path; characters that may not be in an id become `_`."""
    name = (
        place.stem if place.suffix.lower() in (*DICOM_SUFFIXES, *PICTURE_SUFFIXES) else place.name
    )  # the last part of a UID is no suffix
    text = "_".join((*place.parts[-count:-1], name))
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip("._-") or "image"
    if len(safe) <= _LONGEST:
        return safe
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
    return f"{safe[: _LONGEST - _DIGITS - 1]}-{digest}"
