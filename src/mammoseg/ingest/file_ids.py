"""Image ids of files: the name of the file, with as many of its folders in front as tell it from others of that name.

They depend on the set of files alone, not on its order: the same files get the same ids in every run.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

from mammoseg.ingest.examine import DICOM_SUFFIXES, PICTURE_SUFFIXES

_LONGEST = 128  # characters that an id may have (io/runs.py)
_DIGITS = 8


def file_ids(places: Collection[PurePosixPath]) -> dict[PurePosixPath, str]:
    """An id for each of different paths. Ids are safe as names of files, also where capitals do not count."""
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
