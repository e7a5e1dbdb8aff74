"""Files that can be used -> the rows of a manifest: which images are of one exam, which are copies, what they are called.

Exam     Images of a patient with the same Study Instance UID. Some exports give every image a study of its own: if all
         studies that a patient has at one date hold a single image, they are one exam. Images without a UID are of one
         exam if patient and date are the same.
Copies   Files of the same study, side and view with the same pixels (not decoded: the same SOP Instance UID) are one image:
         the first path stays. The same pixels elsewhere are kept and told, for they are a contradiction.
Ids      See ingest/ids.py; pictures of the same name in several folders: ingest/namesakes.py.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pandas as pd

from mammoseg.data.manifest import Manifest
from mammoseg.ingest.examine import Seen
from mammoseg.ingest.ids import exam_ids, image_ids
from mammoseg.ingest.namesakes import tell_apart
from mammoseg.ingest.patterns import NamePattern
from mammoseg.ingest.pseudonyms import pseudonym

K = TypeVar("K", bound=Hashable)

COPY = "a copy of another file"
NO_PATIENT = "the patient id is missing: the study, or else the folder, is taken for a patient"
NO_PATIENT_IN_NAME = (
    "what stands before side and view, or else the folder, is taken for a patient: "
    "if exams of one patient differ in it, say where the patient stands (--pattern with {patient})"
)

SAME_EXAM = "the patient is taken from a file of the same exam that the table of labels has"

_MANY = 30  # exams of one patient: more than screening for a whole life
_KEPT_TEXT = 64  # characters


@dataclass(frozen=True)
class Row:
    """One image of the manifest."""

    seen: Seen
    patient_id: str = field(repr=False)
    exam_id: str
    image_id: str
    findings: tuple[str, ...]

    def cells(self) -> dict[str, object]:
        """Columns of the manifest but for path, labels and date."""
        header, seen = self.seen.header, self.seen
        flip = header.horizontal_flip if header else None
        return {
            "patient_id": self.patient_id,
            "exam_id": self.exam_id,
            "image_id": self.image_id,
            "laterality": seen.laterality,
            "view": seen.view,
            "pixel_mm": seen.pixel_mm,
            "horizontal_flip": None if flip is None else "YES" if flip else "NO",
            "flags": ";".join(header.flags) or None if header else None,
            "manufacturer": _plain(header.manufacturer) if header else None,
            "model": _plain(header.model) if header else None,
            "photometric": _plain(header.photometric) if header else None,
            "bits_stored": None if header is None or header.bits_stored is None else str(header.bits_stored),
            "transfer_syntax": header.transfer_syntax if header else None,
        }


def make_rows(
    found: Sequence[Seen], salt: bytes | None, pattern: NamePattern | None = None
) -> tuple[list[Row], list[Seen]]:
    """Rows of the files that are used, in their order, and all of `found` with copies marked as left out.

    With a salt the patient ids and the names of pictures are hashed as well. `pattern` is the one they were read by.
    """
    found = tell_apart(_without_copies(_with_told_patients(found)), pattern)
    used = [seen for seen in found if seen.status == "used"]
    patients = [_patient(seen) for seen in used]
    exams = _exams(used, patients)
    findings: list[list[str]] = [_own_findings(seen) for seen in used]
    for text, rows in _shared_findings(used, patients, exams):
        for row in rows:
            findings[row].append(text)
    called = exam_ids(used, exams, salt)
    names = image_ids(used, called, hashed=salt is not None)
    shown = [pseudonym(salt, "patient", patient) if salt else patient for patient in patients]
    columns = zip(used, shown, called, names, map(tuple, findings), strict=True)
    return [Row(*values) for values in columns], found


def rows_to_manifest(
    rows: Sequence[Row],
    root: Path,
    out: Path,
    labels: Sequence[Mapping[str, int | str]] | None = None,
    dates: bool = True,
) -> Manifest:
    """The checked manifest of images whose files are below `root`, to be written to `out`, with labels and study dates.

    Raises ManifestError if there is no row.
    """
    known = labels or [{}] * len(rows)
    cells = [
        {"path": str(root / row.seen.place), **label, "study_date": _date(row.seen) if dates else None, **row.cells()}
        for row, label in zip(rows, known, strict=True)
    ]
    return Manifest.from_table(pd.DataFrame(cells, dtype=object), out)


def _patient(seen: Seen) -> str:
    """Where nothing tells the patient: the study, or the folder. The exam of a picture is no UID, and stays readable."""
    if seen.patient is None and seen.header is None and seen.exam:
        return seen.exam
    return seen.patient or pseudonym(b"", "unknown", seen.exam or seen.place.parent.as_posix())


def _without_copies(found: Sequence[Seen]) -> list[Seen]:
    first: set[Hashable] = set()
    answer = []
    for seen in found:
        same = seen.pixels.sha256 if seen.pixels else seen.header.sop_uid if seen.header else None
        key = (same, seen.patient, seen.exam, seen.laterality, seen.view)
        copy = seen.status == "used" and same is not None and key in first
        first.add(key)
        answer.append(replace(seen, status="left out", why=COPY) if copy else seen)
    return answer


def _with_told_patients(found: Sequence[Seen]) -> list[Seen]:
    """A picture in no row of the table is of the patient whom the table tells of its exam: one person must not be two."""
    told: dict[str | None, set[str | None]] = defaultdict(set)
    for seen in found:
        if "patient" in seen.told and seen.header is None:
            told[seen.exam].add(seen.patient)
    return [
        replace(seen, patient=min(map(str, told[seen.exam])), findings=(*seen.findings, SAME_EXAM))
        if seen.status == "used" and seen.header is None and seen.patient is None and len(told[seen.exam]) == 1
        else seen
        for seen in found
    ]


def _exams(used: Sequence[Seen], patients: Sequence[str]) -> list[tuple[str, str]]:
    """(patient, anchor) of the exam of every image; the anchor is the first UID, or the first path, of its images."""
    studies: list[Hashable] = [
        (patient, seen.exam, seen.exam or _date(seen)) for seen, patient in zip(used, patients, strict=True)
    ]
    days = [(patient, _date(seen)) for seen, patient in zip(used, patients, strict=True)]
    several = {row for rows in _groups(studies).values() if len(rows) > 1 for row in rows}
    single = [bool(seen.exam and seen.header and _date(seen)) for seen in used]
    one_day = {day for day, rows in _groups(days).items() if all(single[row] and row not in several for row in rows)}
    answer = [("", "")] * len(used)
    for rows in _groups([d if d in one_day else study for d, study in zip(days, studies, strict=True)]).values():
        anchor = min(used[row].exam or used[row].place.as_posix() for row in rows)
        for row in rows:
            answer[row] = (patients[row], anchor)
    return answer


def _own_findings(seen: Seen) -> list[str]:
    findings = [*seen.findings, *(seen.pixels.findings if seen.pixels else ())]
    if seen.patient is None:
        findings.append(NO_PATIENT if seen.header else NO_PATIENT_IN_NAME)
    if seen.pixel_mm is None:
        findings.append("the pixel size is missing")
    return findings


def _shared_findings(
    used: Sequence[Seen], patients: Sequence[str], exams: Sequence[tuple[str, str]]
) -> Iterable[tuple[str, list[int]]]:
    """What images say together."""

    def differing(keys: Sequence[Hashable], value: Callable[[int], Hashable]) -> list[int]:
        groups = [rows for key, rows in _groups(keys).items() if key is not None]
        return [row for rows in groups if len({value(row) for row in rows}) > 1 for row in rows]

    headers = [seen.header for seen in used]
    studies = [header.study_uid if header else None for header in headers]
    objects = [header.sop_uid if header else None for header in headers]
    hashes = [seen.pixels.sha256 if seen.pixels else None for seen in used]
    yield "the same study is of different patients", differing(studies, lambda row: patients[row])
    yield "the same study has different dates", differing(studies, lambda row: _date(used[row]))
    yield "different images have the same SOP Instance UID", differing(objects, lambda row: row)
    yield "the same pixels as an image of another patient", differing(hashes, lambda row: patients[row])
    place = "the same pixels as an image of another exam, side or view"
    yield place, differing(hashes, lambda row: (exams[row], used[row].laterality, used[row].view))
    many = {patient for patient, rows in _groups(patients).items() if len({exams[row] for row in rows}) > _MANY}
    text = f"a patient with more than {_MANY} exams: check whether one id was given to many"
    yield text, [row for row, patient in enumerate(patients) if patient in many]


def _groups(keys: Sequence[K]) -> dict[K, list[int]]:
    groups: dict[K, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    return groups


def _date(seen: Seen) -> str | None:
    return seen.header.study_date if seen.header else None


def _plain(text: str | None) -> str | None:
    """A value of a header as a cell: one line, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_KEPT_TEXT] or None if text else None
