"""Rows for image files given by name, without a manifest: side and view are read off the file name."""

import re
from collections.abc import Sequence
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.data.patterns import usual_name


def rows_from_files(files: Sequence[Path], pixel_mm: float | None) -> list[ImageRow]:
    """One row per file named like `EXAM_L-CC.png` or `EXAM_R_MLO.png`; EXAM is taken for patient and exam.

    Raises ValueError listing the names that do not say side and view, and those that would collide.
    """
    rows, problems, seen = [], [], set()
    for file in files:
        image_id = re.sub(r"[^A-Za-z0-9._-]", "-", file.stem).lstrip("._-")
        name = usual_name(file.stem)
        if file.is_dir():
            problems.append(f"{file}: a folder; give the files in it")
        elif name is None or not image_id:
            problems.append(f"{file.name}: no side and view in the name")
        elif image_id.lower() in seen:
            problems.append(f"{file.name}: another file would also be called {image_id}")
        else:
            seen.add(image_id.lower())
            exam = name.exam or file.absolute().parent.name
            about = (exam, exam, image_id, name.laterality, name.view)
            rows.append(ImageRow(*about, file.absolute(), pixel_mm=pixel_mm))
    if problems:
        raise ValueError(
            "these files cannot be used without a manifest:\n  " + "\n  ".join(problems[:10]) + "\n"
            "Expected unique names such as 0012_L-CC.png or 0012_R_MLO.png. Rename them, or give a table with "
            "--manifest: mammoseg scan makes one from a folder of DICOM files."
        )
    return rows
