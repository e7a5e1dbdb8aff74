"""CMMD, the Chinese Mammography Database (TCIA) -> a manifest.

    CMMD_clinicaldata_revision.xlsx (or .csv)          a row per breast with a biopsy, sometimes several
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
from pathlib import Path
from typing import Any

from mammoseg.ingest.data_set import About, Adapted, Breast, Cells, DataSet, Totals
from mammoseg.ingest.ids import numbered
from mammoseg.io.dicom.header import DicomHeader, DicomReadError, read_header
from mammoseg.io.runs import is_safe_id

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
    holds="CMMD_clinicaldata_revision.xlsx, or the same as .csv, beside CMMD/D1-0001/... or manifest-<number>/CMMD/...",
    published=Totals(images=5_202, patients=1_775, source="the page of the collection"),
)

_TABLES = ("CMMD_clinicaldata_revision.xlsx", "CMMD_clinicaldata_revision.csv")
_COLUMNS = ("ID1", "LeftRight", "classification")
_FURTHER = {"Age": "age", "abnormality": "abnormality", "subtype": "subtype"}
_PLACE = re.compile(r"(?:manifest-[^/]*/)?CMMD/(?P<patient>D[12]-\d{4})/")


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The mammograms below `root` with the labels of the table; `masks` stays empty, the data set has none.

    Reads the header of every DICOM file. Raises AdapterError if the table or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    breasts = _breasts(data)
    found = [(_PLACE.match(name), path) for name, path in data.images((".dcm",)).items()]
    rows: list[dict[str, Any]] = []
    unreadable, unusable = [], []
    for patient, path in sorted((match["patient"], path) for match, path in found if match):
        try:
            header = read_header(path)
        except DicomReadError:
            unreadable.append(path.relative_to(root).as_posix())
            continue
        if not header.usable or header.laterality is None or header.view is None or not is_safe_id(path.stem):
            unusable.append(path.relative_to(root).as_posix())
            continue
        rows.append(_row(patient, path, header, breasts.get((patient, header.laterality), {})))
    for row, name in zip(rows, numbered([row["image_id"] for row in rows], range(len(rows))), strict=True):
        row["image_id"] = name  # files of the same name in several series
    data.leave_out(root, "DICOM files cannot be read and are left out", unreadable)
    data.leave_out(
        root, "files are no mammogram of a known side and view, or have an odd name, and are left out", unusable
    )
    without = {(row["patient_id"], row["laterality"]) for row in rows} - breasts.keys()
    logger.info("%s: %d breasts have no row in the table, labels unknown", root, len(without))
    return data.manifest(rows)


def _row(patient: str, path: Path, header: DicomHeader, breast: dict[str, Any]) -> dict[str, Any]:
    flips = {True: "YES", False: "NO", None: None}
    return {
        "patient_id": patient,
        "exam_id": patient,
        "image_id": f"{patient}_{path.stem}",
        "laterality": header.laterality,
        "view": header.view,
        "path": path,
        "study_date": header.study_date,
        "pixel_mm": header.pixel_mm,
        "horizontal_flip": flips[header.horizontal_flip],
        **breast,
    }


def _breasts(data: DataSet) -> dict[Breast, dict[str, Any]]:
    """Labels and further columns of every breast in the table."""
    table = data.table(_TABLES, _COLUMNS, published=1_872)
    found: dict[Breast, list[Cells]] = defaultdict(list)
    for cells in data.rows(table, _breast, "side or classification"):
        found[cells["ID1"], cells["LeftRight"]].append(cells)
    return {breast: _labels(rows) for breast, rows in found.items()}


def _breast(cells: Cells) -> dict[str, Any] | None:
    side, kind = cells["LeftRight"].upper(), cells["classification"].lower()
    usable = side in ("L", "R") and kind in ("benign", "malignant")
    return {**cells, "LeftRight": side, "classification": kind} if usable else None


def _labels(rows: list[Cells]) -> dict[str, Any]:
    kinds = {cells["classification"] for cells in rows}
    further = {new: sorted({cells[old] for cells in rows if cells.get(old)}) for old, new in _FURTHER.items()}
    return {
        "benign": 1 if "benign" in kinds else None,
        "malignant": int("malignant" in kinds),
        **{name: "; ".join(values) for name, values in further.items()},
    }
