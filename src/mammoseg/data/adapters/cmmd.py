"""CMMD, the Chinese Mammography Database (TCIA) -> a manifest.

    CMMD_clinicaldata_revision.xlsx                    a row per breast with a biopsy, sometimes several
    CMMD/D1-0001/<study>/<series>/1-1.dcm              one study per patient, also below manifest-<number>/

Side and view stand in the header of the DICOM files only. Of a breast, `classification` in the rows says

    Benign only        benign 1, malignant 0
    Malignant only     malignant 1, benign unknown
    both               benign 1, malignant 1
    no row             both unknown: the breast was photographed, and nothing is told of it
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.data.about import About
from mammoseg.data.manifest import Manifest
from mammoseg.data.tables import AdapterError, tell, to_manifest
from mammoseg.io.dicom.header import DicomHeader, DicomReadError, read_header

logger = logging.getLogger(__name__)

ABOUT = About(
    title="CMMD, Chinese Mammography Database",
    label_source=(
        "Biopsy, a row per breast. Benign: benign, not malignant; malignant: malignant, benign unknown; breasts without a "
        "row: unknown, never negative."
    ),
    licence="CC BY 4.0.",
    defects=(
        "There are no negative breasts: every labelled breast was biopsied, which makes scores differ from screening.",
        "Some patients have a benign and a malignant breast, or both in one breast.",
        "The view is only in the View Code Sequence, no ViewPosition; files that do not tell it are left out.",
        "8 bits, windowed before publication (2 files 16 bits): contrast is not that of the original exams.",
        "There are no outlines, so no masks. The subtype of cancers is known in part D2 only.",
    ),
    url="https://doi.org/10.7937/tcia.eqde-4b16",
)

_TABLE = "CMMD_clinicaldata_revision.xlsx"
_COLUMNS = ("ID1", "LeftRight", "classification")
_FURTHER = {"Age": "age", "abnormality": "abnormality", "subtype": "subtype"}
_PATIENT = re.compile(r"D[12]-\d{4}")

Breast = tuple[str, str]
"""(patient_id, laterality)"""


def make_manifest(root: Path, masks: Path) -> Manifest:
    """The mammograms below `root` with the labels of the workbook; `masks` stays empty, the data set has none.

    Reads the header of every DICOM file. Raises AdapterError if the workbook or every image is missing.
    """
    breasts = _breasts(root / _TABLE)
    rows: list[dict[str, Any]] = []
    unreadable, unusable = [], []
    for patient, path in _images(root):
        try:
            header = read_header(path)
        except DicomReadError:
            unreadable.append(path.relative_to(root).as_posix())
            continue
        if not header.usable or header.laterality is None or header.view is None:
            unusable.append(path.relative_to(root).as_posix())
            continue
        rows.append(_row(patient, path, header, breasts.get((patient, header.laterality), {})))
    _number_repeated(rows)
    tell("%s: %d DICOM files cannot be read and are left out: %s", root, unreadable)
    tell("%s: %d files are no mammogram of a known side and view and are left out: %s", root, unusable)
    without = {(row["patient_id"], row["laterality"]) for row in rows} - breasts.keys()
    logger.info("%s: %d breasts have no row in the workbook, labels unknown", root, len(without))
    return to_manifest(rows, root, masks)


def _row(patient: str, path: Path, header: DicomHeader, breast: dict[str, Any]) -> dict[str, Any]:
    flips = {True: "YES", False: "NO", None: None}
    return {
        "patient_id": patient,
        "exam_id": patient,
        "image_id": f"{patient}_{path.stem}",
        "laterality": header.laterality,
        "view": header.view,
        "path": str(path.absolute()),
        "study_date": header.study_date,
        "pixel_mm": header.pixel_mm,
        "horizontal_flip": flips[header.horizontal_flip],
        **breast,
    }


def _images(root: Path) -> Iterator[tuple[str, Path]]:
    """(patient, DICOM file), sorted."""
    for collection in (root / "CMMD", *sorted(root.glob("manifest-*/CMMD"))):
        for folder in sorted(collection.glob("D[12]-*")):
            if _PATIENT.fullmatch(folder.name):
                yield from ((folder.name, path) for path in sorted(folder.rglob("*.dcm")))


def _number_repeated(rows: list[dict[str, Any]]) -> None:
    """Files of the same name in several series of a patient: _2, _3 ... after the image ids."""
    seen: dict[str, int] = defaultdict(int)
    for row in rows:
        name = row["image_id"]
        seen[name] += 1
        if seen[name] > 1:
            row["image_id"] = f"{name}_{seen[name]}"


def _breasts(path: Path) -> dict[Breast, dict[str, Any]]:
    """Labels and further columns of every breast in the workbook."""
    found: dict[Breast, list[dict[str, str]]] = defaultdict(list)
    unusable = []
    for number, cells in enumerate(_records(path), start=2):
        side, kind = cells["LeftRight"].upper(), cells["classification"].lower()
        if side in ("L", "R") and kind in ("benign", "malignant"):
            found[cells["ID1"], side].append({**cells, "classification": kind})
        elif any(cells.values()):
            unusable.append(number)
    tell("%s: %d rows left out, side or classification cannot be used: rows %s", path, unusable)
    return {breast: _labels(rows) for breast, rows in found.items()}


def _labels(rows: list[dict[str, str]]) -> dict[str, Any]:
    kinds = {cells["classification"] for cells in rows}
    further = {new: sorted({cells[old] for cells in rows if cells.get(old)}) for old, new in _FURTHER.items()}
    return {
        "benign": 1 if "benign" in kinds else None,
        "malignant": int("malignant" in kinds),
        **{name: "; ".join(values) for name, values in further.items()},
    }


def _records(path: Path) -> list[dict[str, str]]:
    """The rows of the workbook as stripped text."""
    try:
        table = pd.read_excel(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise AdapterError(
            f"{path}: there is no such file. Expected the workbook of CMMD beside the folder CMMD. Download it from the "
            "page of the collection at TCIA, or give the folder that holds both."
        ) from None
    except Exception as error:  # openpyxl passes on whatever zip and XML raise
        raise AdapterError(
            f"{path}: not a readable workbook ({type(error).__name__}). Expected an Excel file. Download it again."
        ) from None
    table.columns = table.columns.astype(str).str.strip()
    if missing := [name for name in _COLUMNS if name not in table]:
        raise AdapterError(
            f"{path}: the columns {', '.join(missing)} are missing; there are {', '.join(table.columns)}. Expected those "
            "of the published workbook. Download it again."
        )
    records = table.fillna("").astype(str).to_dict("records")
    return [{str(name): text.strip() for name, text in record.items()} for record in records]
