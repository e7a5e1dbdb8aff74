"""A folder of image files whose names tell patient, side and view -> a manifest without labels.

Which part of a path is what is said by a pattern (ingest/patterns.py). Files of other names are left out and told. Images
whose pattern has no {exam} are of one exam per patient. Labels, if there are any, are filled into the manifest by hand.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

from mammoseg.ingest.about import About
from mammoseg.ingest.adapted import Adapted, to_manifest
from mammoseg.ingest.files import find_files
from mammoseg.ingest.omissions import Omissions
from mammoseg.ingest.patterns import PatternError, compile_pattern
from mammoseg.ingest.tables import AdapterError
from mammoseg.io.runs import is_safe_id

ABOUT = About(
    title="A folder of images, named by a pattern such as {patient}_{laterality}_{view}",
    label_source="None: benign and malignant stay empty (unknown) until you fill them in.",
    licence="That of the images.",
    defects=("Patient, side and view are believed as the names tell them.",),
    url="docs/reference/manifest.md",
    holds="image files, in any folders, whose names tell patient, side and view",
)

NEEDED = ("patient", "laterality", "view")
SUFFIXES = (".dcm", ".dicom", ".png", ".pgm", ".tif", ".tiff", ".jpg", ".jpeg")


def make_manifest(root: Path, masks: Path, pattern: str = "{patient}_{laterality}_{view}") -> Adapted:
    """The images below `root` whose path is of the pattern; `masks` stays empty.

    Raises PatternError for a pattern that cannot be used, AdapterError if no file or too many are of it.
    """
    names = compile_pattern(pattern)
    if missing := [name for name in NEEDED if name not in names.fields]:
        raise PatternError(
            f"pattern {pattern!r}: without {', '.join(f'{{{m}}}' for m in missing)}. Expected patient, laterality and view, "
            "since nothing else tells them. Add them, or scan the folder if the files are DICOM."
        )
    rows: list[dict[str, Any]] = []
    first: dict[str, PurePosixPath] = {}
    others, twice = [], []
    for place in (p for p in find_files(root)[0] if p.suffix.lower() in SUFFIXES):
        found = names.match(place)
        image_id = re.sub(r"[^A-Za-z0-9._-]+", "_", place.with_suffix("").as_posix())
        if found is None or not is_safe_id(image_id):
            others.append(place.as_posix())
            continue
        if first.setdefault(image_id.lower(), place) != place:
            twice.append(place.as_posix())
            continue
        rows.append(
            {
                "patient_id": found["patient"],
                "exam_id": f"{found['patient']}_{found['exam']}" if "exam" in found else found["patient"],
                "image_id": image_id,
                "laterality": found["laterality"],
                "view": found["view"],
                "path": str((root / place).absolute()),
            }
        )
    left_out = Omissions()
    left_out.add(root, "image files are not of the pattern and are left out", others)
    left_out.add(root, "image files have the name of another one, but for their suffix, and are left out", twice)
    if not rows:
        raise AdapterError(
            f"{root}: no image file is of the pattern {pattern!r}; other image files: {len(others)}. Expected names such as "
            "007_L_CC.png for '{patient}_{laterality}_{view}'. Check the folder and the pattern."
        )
    return to_manifest(rows, root, masks, left_out)
