"""Names of exams, whatever their ids are: a key, and files and folders."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from mammoseg.io.runs import is_safe_id


def exam_key(patient_id: str, exam_id: str) -> str:
    """16 hexadecimal digits that stand for an exam of a patient; different for exams of one id of different patients."""
    return hashlib.sha256(f"{patient_id}\0{exam_id}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def exam_names(exams: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(patient, exam) -> a file name of its own, also where upper and lower case are the same; of hostile ids, too."""
    folded = Counter(exam_id.casefold() for _, exam_id in exams)
    names = {}
    for patient_id, exam_id in exams:
        digest = exam_key(patient_id, exam_id)[:12]
        plain = is_safe_id(exam_id) and folded[exam_id.casefold()] == 1
        readable = re.sub(r"[^A-Za-z0-9_-]+", "_", exam_id)[:40].strip("_")
        names[patient_id, exam_id] = exam_id if plain else f"{readable}-{digest}"
    return names
