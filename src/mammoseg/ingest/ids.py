"""What exams and images of a scan are called.

DICOM      Hashes of patient and study (ingest/pseudonyms.py), `e1f0c9a7b2d34_L-CC`: image ids come into logs, figures and names
           of files, where ids of patients do not belong. A date is never part of them. Names of DICOM files are often those
           of patients or UIDs, and not used.
Pictures   As their files are called, `P002_left_mlo`, which their user has done and finds again; with the folders where a
           name is that of several files (ingest/file_ids.py). Exams are called by what names tell: `P002`, `P002/2020`.
Salted     All of them are hashes, and nothing readable is left.
"""

from collections import Counter
from collections.abc import Sequence

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.file_ids import file_ids, numbered
from mammoseg.ingest.pseudonyms import pseudonym


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


def _tells(exam: str, patient: str) -> bool:
    """Whether what an exam is called has all parts of its patient: `site1/2020/0012` and `site1/0012`."""
    return set(patient.split("/")) <= set(exam.split("/"))


def _order(seen: Seen) -> tuple[str, str]:
    return (seen.header.sop_uid or "" if seen.header else "", seen.place.as_posix())
