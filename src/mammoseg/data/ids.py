"""What exams and images of a scan are called.

DICOM      Hashes of patient and study (data/pseudonyms.py), `e1f0c9a7b2d34_L-CC`: image ids come into logs, figures and names
           of files, where ids of patients do not belong. A date is never part of them. Names of DICOM files are often those
           of patients or UIDs, and not used.
Pictures   As their files are called, `P002_left_mlo`, which their user has done and finds again; with the folders where a
           name is that of several files. Exams are called by what names tell: `P002`, `P002/2020`.
Salted     All of them are hashes, and nothing readable is left.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from mammoseg.data.examine import Seen
from mammoseg.data.pseudonyms import pseudonym

_LONGEST = 100  # letters of an id without its number


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
    stems = Counter(_safe(seen.place.stem).casefold() for seen in used if seen.header is None)
    names = []
    for seen, exam in zip(used, exams, strict=True):
        stem, whole = _safe(seen.place.stem), _safe(seen.place.with_suffix("").as_posix())
        name = "" if hashed or seen.header else stem if stems[stem.casefold()] == 1 else whole
        names.append(name or f"{exam}_{seen.laterality}-{seen.view}")
    return _numbered(names, used)


def _tells(exam: str, patient: str) -> bool:
    """Whether what an exam is called has all parts of its patient: `site1/2020/0012` and `site1/0012`."""
    return set(patient.split("/")) <= set(exam.split("/"))


def _safe(text: str) -> str:
    """In letters of ASCII, without those that are none; "" if there are none. Long texts are cut at the front."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "_", plain)[-_LONGEST:].lstrip("._-")


def _numbered(names: Sequence[str], used: Sequence[Seen]) -> list[str]:
    """Upper and lower case count as the same."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        rows[name.casefold()].append(row)
    taken, answer = set(rows), list(names)
    for same in rows.values():
        number = 1
        for row in sorted(same, key=lambda row: _order(used[row]))[1:]:
            while f"{names[row]}_{number}".casefold() in taken or number == 1:
                number += 1
            answer[row] = f"{names[row]}_{number}"
            taken.add(answer[row].casefold())
    return answer


def _order(seen: Seen) -> tuple[str, str]:
    return (seen.header.sop_uid or "" if seen.header else "", seen.place.as_posix())
