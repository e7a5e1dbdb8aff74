"""Which row of a manifest an annotation is about: by the SOP Instance UID of its file, or by name.

A name is that of the image (`image_id`), or that of its file with or without the suffix. Where several files have it, the folders
in front of it decide. Names are compared, and nothing that they name is opened.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.ingest.annotation import Annotation, AnnotationError
from mammoseg.io.dicom.header import read_header
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom

_LONGEST = 4096
_IMAGE_SUFFIX = re.compile(r"\.(dcm|dicom|dic|ima|png|jpe?g|jp2|j2k|tiff?|pgm|bmp)$", re.IGNORECASE)
"""Also of an image that was converted for the annotation."""


def uids_of(rows: Sequence[ImageRow]) -> dict[str, list[int]]:
    """SOP Instance UID -> rows whose file has it. Files that are not there or no DICOM files have none."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        try:
            uid = read_header(row.path).sop_uid if is_dicom(row.path) else None
        except ImageReadError:
            continue
        if uid:
            found[uid].append(number)
    return found


class ByUid:
    """Rows by the UIDs of their files, which are read once."""

    def __init__(self, rows: Sequence[ImageRow]) -> None:
        self._rows = uids_of(rows)

    def row_of(self, annotation: Annotation, file: Path) -> int:
        """Number of the row. Raises AnnotationError if there is none, or more than one."""
        found = {number for uid in annotation.images for number in self._rows.get(uid, ())}
        if len(found) == 1:
            return found.pop()
        if found:
            raise AnnotationError(
                f"{len(found)} images of the manifest have the SOP Instance UIDs that it names. Expected one. Leave the "
                "others out of the manifest."
            )
        raise AnnotationError(
            "no image of the manifest has the SOP Instance UID that it names. Expected a manifest of the DICOM files that were "
            "drawn on."
        )


class ByName:
    """Rows by the names of images and of files."""

    def __init__(self, rows: Sequence[ImageRow]) -> None:
        self._paths = [row.path for row in rows]
        ids: dict[str, list[int]] = {}
        names: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            ids.setdefault(row.image_id, []).append(number)
            for name in {row.path.name, row.path.stem}:
                names.setdefault(name, []).append(number)
        self._ways: tuple[Mapping[str, list[int]], ...] = (ids, names)

    def row_of(self, annotation: Annotation, file: Path) -> int:
        """Number of the row. Raises AnnotationError if there is none, or more than one."""
        for told in annotation.images:
            *folders, name = _parts(told)
            for key in dict.fromkeys((name, _IMAGE_SUFFIX.sub("", name))):
                for way in self._ways:
                    if key and (found := way.get(key)):
                        return self._nearest(found, folders or file.parent.parts)
        raise AnnotationError(
            "no image of the manifest is called so, nor its file. Expected the image_id or the name of the image's file."
        )

    def folders_of(self, annotation: Annotation) -> tuple[str, ...]:
        """Those that it names in front of the image; empty: none."""
        return next((tuple(folders) for *folders, _ in map(_parts, annotation.images) if folders), ())

    def shared(self, number: int, folders: Sequence[str]) -> int:
        """How many last folders are those of the image of a row."""
        return _shared(self._paths[number].parent.parts, folders)

    def _nearest(self, found: list[int], folders: Sequence[str]) -> int:
        """Of several rows the one that shares most folders in front of the name."""
        if len(found) == 1:
            return found[0]
        shared = {number: self.shared(number, folders) for number in found}
        best = [number for number in found if shared[number] == max(shared.values())]
        if len(best) == 1:
            return best[0]
        raise AnnotationError(
            f"{len(found)} images of the manifest have a file of this name in different folders. Expected one. Name the "
            "annotation by the image_id, or lay it into folders called like those of the images."
        )


def _parts(told: str) -> list[str]:
    return told[:_LONGEST].replace("\\", "/").split("/")


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many last parts are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
