"""Image ids of files: the name of the file, with as many of its folders in front as tell it from others of that name.

They depend on the set of files alone, not on its order: the same files get the same ids in every run.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import PurePosixPath

from mammoseg.ingest.examine import DICOM_SUFFIXES, PICTURE_SUFFIXES

_LONGEST = 128  # characters that an id may have (io/runs.py)
_DIGITS = 8


def file_ids(places: Collection[PurePosixPath]) -> dict[PurePosixPath, str]:
    """An id for each of different paths. Ids are safe as names of files, also where capitals do not count."""
    parts = dict.fromkeys(places, 1)
    while True:
        ids = {place: _joined(place, count) for place, count in parts.items()}
        longer = [place for same in _groups(ids) if len(same) > 1 for place in same if parts[place] < len(place.parts)]
        if not longer:
            return _numbered(ids)
        for place in longer:
            parts[place] += 1


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


def _groups(ids: dict[PurePosixPath, str]) -> list[list[PurePosixPath]]:
    groups: dict[str, list[PurePosixPath]] = defaultdict(list)
    for place, name in ids.items():
        groups[name.lower()].append(place)
    return list(groups.values())


def _numbered(ids: dict[PurePosixPath, str]) -> dict[PurePosixPath, str]:
    """What folders do not tell apart (`a.png` and `a.dcm`, `a b` and `a-b`) is numbered in the order of the paths."""
    taken = {name.lower() for name in ids.values()}
    for same in _groups(ids):
        number = 2
        for place in sorted(same)[1:]:
            base = ids[place][: _LONGEST - _DIGITS]
            while f"{base}_{number}".lower() in taken:
                number += 1
            ids[place] = f"{base}_{number}"
            taken.add(ids[place].lower())
    return ids
