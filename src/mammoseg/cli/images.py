"""Rows for image files without a manifest: the header of a DICOM file tells side and view, the name of any other file."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from mammoseg.data.manifest import ImageRow
from mammoseg.data.patterns import usual_name
from mammoseg.data.pseudonyms import pseudonym
from mammoseg.io.dicom.header import DicomHeader, read_header
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom

logger = logging.getLogger(__name__)


def rows_from_files(files: Sequence[Path], pixel_mm: float | None) -> list[ImageRow]:
    """One row per DICOM file, or file named like `EXAM_L-CC.png` or `EXAM_R_MLO.png`; EXAM is taken for patient and exam.

    A name helps out where a DICOM header is silent; where they differ the header counts, which is logged. Raises ValueError
    listing the files of which side and view are unknown, and those whose names would collide.
    """
    rows, problems, seen = [], [], set()
    for file in files:
        image_id = re.sub(r"[^A-Za-z0-9._-]", "-", file.stem).lstrip("._-")
        if file.is_dir():
            problems.append(f"{file}: a folder; give the files in it")
        elif (row := _row(file, image_id, pixel_mm)) is None or not image_id:
            problems.append(f"{file.name}: side and view are neither in a DICOM header nor in the name")
        elif image_id.lower() in seen:
            problems.append(f"{file.name}: another file would also be called {image_id}")
        else:
            seen.add(image_id.lower())
            rows.append(row)
    if problems:
        raise ValueError(
            "these files cannot be used without a manifest:\n  " + "\n  ".join(problems[:10]) + "\n"
            "Expected DICOM files that say side and view, or unique names such as 0012_L-CC.png or 0012_R_MLO.png. Rename "
            "them, or give a table with --manifest: mammoseg scan makes one from a folder."
        )
    return rows


def _row(file: Path, image_id: str, pixel_mm: float | None) -> ImageRow | None:
    """None: side or view is unknown."""
    name, header = usual_name(file.stem), _header(file)
    told = [source for source in (header, name) if source is not None]
    laterality = next((source.laterality for source in told if source.laterality), None)
    view = next((source.view for source in told if source.view), None)
    if laterality is None or view is None:
        return None
    if name and (name.laterality, name.view) != (laterality, view):
        logger.warning(
            "%s: the name says %s %s, the header %s %s: the header is used",
            *(file.name, name.laterality, name.view, laterality, view),
        )
    patient = exam = name.exam if name and name.exam else file.absolute().parent.name
    if header is None:
        return ImageRow(patient, exam, image_id, laterality, view, file.absolute(), pixel_mm=pixel_mm)
    patient = header.patient_id or patient
    return ImageRow(
        patient,
        pseudonym(b"", "exam", patient, header.study_uid) if header.study_uid else exam,
        image_id,
        laterality,
        view,
        file.absolute(),
        pixel_mm=pixel_mm or header.pixel_mm,
        horizontal_flip=header.horizontal_flip,
    )


def _header(file: Path) -> DicomHeader | None:
    """None: another kind of file, or a damaged one, which is recorded when it is to be predicted."""
    try:
        return read_header(file) if file.is_file() and is_dicom(file) else None
    except ImageReadError:
        return None
