"""EMBED, the Emory Breast Imaging Dataset (open data release) -> a manifest.

    tables/EMBED_OpenData_metadata.csv    a row per image       (also in the folder itself, and the tables named _reduced)
    tables/EMBED_OpenData_clinical.csv    a row per finding of an exam and side: L, R, B or empty (both)
    images/cohort_<n>/<patient>/<exam>/<image>.dcm    also without images/, or .png of this name or of png_path

Plain 2-D mammograms for presentation only: no tomosynthesis, no synthetic views, no spot or magnification views.
Every finding of a breast says, from its pathology (`path_severity`) or, without one, its assessment (`asses`):

    path_severity 0, 1      cancer                            malignant 1
    path_severity 2, 3, 4   high-risk, borderline, benign     benign 1, malignant 0
    path_severity 5         normal tissue                     benign 0, malignant 0
    path_severity 6         cancer, not of the breast         unknown
    N (BI-RADS 1)           negative                          benign 0, malignant 0
    B (BI-RADS 2)           benign, not biopsied              malignant 0
    A, P, S, M, K           unresolved                        unknown

The breast has a label if any of its findings has it, has it not if all say so, and else it is unknown; a breast without a
row too. Pathology belongs to the side `bside`, else to `side`; if neither names one, to nobody. Source: Jeong et al.,
Radiology: AI 5 (2023) e220047, and the README of the release.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from mammoseg.ingest.data_set import ROW, About, Adapted, Cells, DataSet, tell
from mammoseg.ingest.drawing import Box, DrawingError, draw_mask, image_shape
from mammoseg.ingest.tables import read_columns
from mammoseg.io.runs import is_safe_id
from mammoseg.records.label import CLASSES

logger = logging.getLogger(__name__)

ABOUT = About(
    title="EMBED, Emory Breast Imaging Dataset (open data)",
    label_source=(
        "Pathology of the findings of a breast; without pathology, BI-RADS 1 is negative and BI-RADS 2 not malignant. "
        "Other assessments without pathology, and breasts without a row: unknown."
    ),
    licence="EMBED data use agreement: research, no redistribution, no release of weights trained on it.",
    defects=(
        "Boxes (ROI_coords) may be places in mirrored PNG files, upstream leaves it open: check some in figures, else pass "
        "roi_flipped. Boxes are rectangles around ellipses.",
        "Boxes name no finding: drawn only where all findings of the breast are malignant, or all benign, by pathology.",
        "Pathology is entered by hand and at times only at the diagnostic exam, not at the screening exam before it.",
        "Exams with a finding in one breast often have no row for the other: unknown, not negative.",
        "Negative rests on the assessment of the exam alone; cancers found later are not looked for.",
        "Implants are not left out.",
    ),
    url="https://github.com/Emory-HITI/EMBED_Open_Data",
    holds="tables/EMBED_OpenData_metadata.csv and tables/EMBED_OpenData_clinical.csv beside images/cohort_<n>/...",
)

_KEYS = ("empi_anon", "acc_anon")
_IMAGE = (*_KEYS, "anon_dicom_path", "FinalImageType", "ImageLateralityFinal", "ViewPosition")
_FINDING = (*_KEYS, "side", "asses", "path_severity")
_IMAGE_ALSO = (
    *("png_path", "spot_mag", "PresentationIntentType", "study_date_anon", "PatientOrientation"),
    *("ROI_coords", "DCM_ROI_coords", "Manufacturer", "ManufacturerModelName"),
)
_FINDING_ALSO = ("bside", "tissueden")
_SIDES = {"L": "L", "R": "R", "B": "LR", "": "LR"}
_BIRADS = {"A": "0", "N": "1", "B": "2", "P": "3", "S": "4", "M": "5", "K": "6"}
_DENSITY = {"1": "A", "2": "B", "3": "C", "4": "D"}

Labels = tuple[int | None, int | None]
"""benign, malignant"""
Finding = dict[str, Any]
"""Of a breast: labels, birads, density."""

_UNKNOWN: Labels = (None, None)
_BENIGN, _MALIGNANT = (1, 0), (None, 1)
_PATHOLOGY: dict[str, Labels] = {
    **{"0": _MALIGNANT, "1": _MALIGNANT, "2": _BENIGN, "3": _BENIGN, "4": _BENIGN},
    "5": (0, 0),
}
_ASSESSMENT: dict[str, Labels] = {"N": (0, 0), "B": (None, 0)}


def make_manifest(root: Path, masks: Path, roi_flipped: bool = False) -> Adapted:
    """The images below `root` that are in the tables; masks of the boxes are written to `masks`.

    `roi_flipped`: ROI_coords are places in the picture after EMBED's own conversion to PNG, which mirrors images whose
    breast points left, and `root` holds the DICOM files; else they are taken as they stand. Raises AdapterError if a
    table or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    source = data.find(*_tables("metadata"))
    table = _read(source, _IMAGE, _IMAGE_ALSO)
    findings = _findings(_read(data.find(*_tables("clinical")), _FINDING, _FINDING_ALSO))
    images = data.images((".dcm", ".png"))
    rows: dict[str, dict[str, Any]] = {}
    unusable, repeated, untold, undrawn, uncertain = [], [], [], [], 0
    others: set[Path] = set()
    for number, cells in _cells(table):
        path, side = _path(root, images, cells), cells["ImageLateralityFinal"]
        if not _is_plain(cells):
            others |= {path} if path else set()
            continue
        if path is None or side not in ("L", "R") or not all(cells[name] for name in (*_KEYS, "ViewPosition")):
            unusable.append(number)
            continue
        if path.stem in rows:
            repeated.append(number)
            continue
        found = findings.get((cells["empi_anon"], cells["acc_anon"], side), [])
        untold += [] if found else [path.stem]
        row = rows[path.stem] = {ROW: number, **_row(path, cells, found)}
        roi = _roi(path, cells)
        if path.is_file() and re.search(r"\d", cells.get(roi, "")):
            drawn = _draw(data, path, cells, found, roi_flipped and roi == "ROI_coords")
            row.update(drawn)
            uncertain += bool(drawn) and roi == "ROI_coords"
            undrawn += [] if drawn else [path.stem]
    data.leave_out(source, "rows left out, their ids, path, side or view cannot be used", unusable)
    data.leave_out(source, "rows left out, an earlier row has an image of this name", repeated)
    tell("%s: %d images without a row for their breast in the clinical table, labels empty: %s", root, untold)
    tell("%s: %d images have boxes of no one class or outside the image, no mask: %s", root, undrawn)
    if uncertain:
        frame = "mirrored pictures" if roi_flipped else "the image files as they are"
        logger.warning(
            "%s: boxes of %d images were taken as places in %s; check some in figures", root, uncertain, frame
        )
    return data.manifest(list(rows.values()), set(images.values()) - others, source)


def _cells(table: pd.DataFrame) -> Iterator[tuple[Any, Cells]]:
    """(index, row) one at a time: all of them as dicts would fill the memory."""
    for number, values in zip(table.index, table.itertuples(index=False, name=None), strict=True):
        yield number, dict(zip(table.columns, values, strict=True))


def _row(path: Path, cells: Cells, found: list[Finding]) -> dict[str, Any]:
    date = re.match(r"\d{4}-\d\d-\d\d", cells.get("study_date_anon", ""))
    return {
        "patient_id": cells["empi_anon"],
        "exam_id": cells["acc_anon"],
        "image_id": path.stem,
        "laterality": cells["ImageLateralityFinal"],
        "view": cells["ViewPosition"],
        "path": path,
        **{label: _together([finding["labels"][at] for finding in found]) for at, label in enumerate(CLASSES)},
        "study_date": date[0] if date else None,
        "birads": "; ".join(sorted({finding["birads"] for finding in found} - {""})),
        "density": "; ".join(sorted({finding["density"] for finding in found} - {""})),
        "manufacturer": cells.get("Manufacturer", ""),
        "model": cells.get("ManufacturerModelName", ""),
    }


def _is_plain(cells: Cells) -> bool:
    """Whether the image is a full 2-D mammogram for presentation."""
    intent = cells.get("PresentationIntentType", "")
    return (
        cells["FinalImageType"] == "2D"
        and cells.get("spot_mag", "") in ("", "0")
        and intent.upper() in ("", "FOR PRESENTATION")
    )


def _findings(table: pd.DataFrame) -> dict[tuple[str, str, str], list[Finding]]:
    """(empi_anon, acc_anon, side) -> what the rows say of the breast."""
    found: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for _, cells in _cells(table):
        asses = cells["asses"].upper()
        told = {"birads": _BIRADS.get(asses, ""), "density": _DENSITY.get(cells.get("tissueden", ""), "")}
        for side, labels in _of_sides(cells, asses).items():
            found[cells["empi_anon"], cells["acc_anon"], side].append({**told, "labels": labels})
    return found


def _of_sides(cells: Cells, asses: str) -> dict[str, Labels]:
    """Side -> labels by one row."""
    sides = _SIDES.get(cells["side"].upper(), "LR")
    severity, biopsied = cells["path_severity"], cells.get("bside", "").upper()
    assessed = _ASSESSMENT.get(asses, _UNKNOWN)
    if not severity:
        return dict.fromkeys(sides, assessed)
    place = _SIDES[biopsied] if biopsied in ("L", "R", "B") else sides
    if not set(place) <= set(sides) or (place == "LR" and biopsied != "B"):
        return dict.fromkeys("LR", _UNKNOWN)
    return {side: _PATHOLOGY.get(severity, _UNKNOWN) if side in place else assessed for side in sides}


def _together(values: Sequence[int | None]) -> int | None:
    """A label of the breast, from those of its findings."""
    if 1 in values:
        return 1
    return 0 if values and None not in values else None


def _path(root: Path, images: dict[str, Path], cells: Cells) -> Path | None:
    """The file among `images`, by its path from `cohort_<n>` on; None if there is no such name. It need not exist."""
    dicom, png = _tail(cells["anon_dicom_path"]), _tail(cells.get("png_path", ""))
    if dicom is None:
        return None
    names = [folder + dicom.with_suffix("").as_posix() for folder in ("images/", "")]
    names += [folder + png.with_suffix("").as_posix() for folder in ("png/", "images/", "") if png is not None]
    return next((images[name] for name in names if name in images), root / "images" / dicom)


def _tail(text: str) -> Path | None:
    parts = PurePosixPath(text.replace("\\", "/")).parts
    starts = [i for i, part in enumerate(parts) if re.fullmatch(r"cohort_\d+", part)]
    return Path(*parts[starts[-1] :]) if starts and all(map(is_safe_id, parts[starts[-1] :])) else None


def _draw(data: DataSet, path: Path, cells: Cells, found: list[Finding], flipped: bool) -> dict[str, str]:
    """`<class>_mask` -> file; empty if the boxes are none, or the findings of the breast not of one class by pathology.

    The table has ymin, xmin, ymax, xmax of each box, in nested brackets.
    """
    label = {(_BENIGN,): "benign", (_MALIGNANT,): "malignant"}.get(tuple({finding["labels"] for finding in found}))
    numbers = [float(text) for text in re.findall(r"-?\d+", cells.get(_roi(path, cells), ""))]
    if label is None or not numbers or len(numbers) % 4:
        return {}
    corners = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    boxes: list[Box] = [(xmin, ymin, xmax, ymax) for ymin, xmin, ymax, xmax in corners]
    try:
        shape = image_shape(path)
        if flipped and _points_left(cells):
            boxes = [(shape[1] - xmax, ymin, shape[1] - xmin, ymax) for xmin, ymin, xmax, ymax in boxes]
        return data.mask(path.stem, label, draw_mask(shape, boxes=boxes))
    except DrawingError:
        return {}


def _roi(path: Path, cells: Cells) -> str:
    """The column of the boxes. Only DCM_ROI_coords, of later releases, are surely places in the DICOM file."""
    return "DCM_ROI_coords" if "DCM_ROI_coords" in cells and path.suffix.lower() == ".dcm" else "ROI_coords"


def _points_left(cells: Cells) -> bool:
    """Whether EMBED's own conversion mirrors the image."""
    if cells["ViewPosition"] not in ("CC", "MLO", "ML"):
        return False
    direction = re.search("[A-Z]", cells.get("PatientOrientation", ""))
    return direction[0] == "P" if direction else cells["ImageLateralityFinal"] == "R"


def _tables(name: str) -> list[str]:
    files = [f"EMBED_OpenData_{name}.csv", f"EMBED_OpenData_{name}_reduced.csv"]
    return [f"{folder}{file}" for file in files for folder in ("tables/", "")]


def _read(path: Path, needed: Sequence[str], also: Sequence[str]) -> pd.DataFrame:
    """Ids and codes that were written as 7.0 are 7."""
    table = read_columns(path, needed, also)
    return table.apply(lambda column: column.str.replace(r"^(\d+)\.0$", r"\1", regex=True))
