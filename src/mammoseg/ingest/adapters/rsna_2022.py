"""RSNA Screening Mammography Breast Cancer Detection (Kaggle, 2022) -> a manifest.

    train.csv                                   a row per image; what it says of biopsy and cancer holds for the breast
    train_images/<patient_id>/<image_id>.dcm    also .png if converted

    cancer 1             malignant 1, benign unknown
    cancer 0, biopsy 1   malignant 0, benign 1: whatever was biopsied was not cancer
    cancer 0, biopsy 0   malignant 0, benign 0: nothing was biopsied

An empty or contradictory cell leaves its label unknown. Every patient has one exam, some with several images of a view;
views beside CC and MLO (AT, LM, ML, LMO) keep their name.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.ingest.about import About, Totals
from mammoseg.ingest.adapted import ROW, Adapted, find_images, find_table, to_manifest
from mammoseg.ingest.omissions import Omissions, tell
from mammoseg.ingest.tables import read_table
from mammoseg.io.runs import is_safe_id

ABOUT = About(
    title="RSNA Screening Mammography Breast Cancer Detection (2022)",
    label_source=(
        "Cancer and biopsy of the breast as reported by the two sites. Cancer: malignant, benign unknown; biopsy "
        "without cancer: benign; neither: negative."
    ),
    licence="Competition rules: non-commercial use, academic research and education, no re-identification.",
    defects=(
        "There are no outlines or boxes, so no masks.",
        "Benign is inferred: biopsied and not reported as cancer. It includes biopsies of normal tissue.",
        "BIRADS is coded 0 follow-up needed, 1 negative, 2 normal; BIRADS and density are empty for half of the images.",
        "Site 1 tells implants of the patient, not of the breast; images with implants are kept, see `implant`.",
        "Only train.csv has labels; the test images of the competition were never published.",
        "Files differ by vendor: no Modality, MONOCHROME1, 16 bits stored, several windows, a sigmoid.",
    ),
    url="https://www.kaggle.com/competitions/rsna-breast-cancer-detection",
    holds="train.csv beside train_images/<patient_id>/<image_id>.dcm",
    published=Totals(images=54_706, patients=11_913, source="train.csv of the competition"),
)

_TABLE, _IMAGES = "train.csv", "train_images"
_ROWS = 54_706
_COLUMNS = ("patient_id", "image_id", "laterality", "view", "cancer", "biopsy")
_FURTHER = ("site_id", "age", "invasive", "implant", "density", "machine_id", "difficult_negative_case")
_SUFFIXES = (".dcm", ".png")
_FLAGS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1}

Breast = tuple[str, str]
"""(patient_id, laterality)"""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root` that are in train.csv; `masks` stays empty, the data set has none.

    Raises AdapterError if the table or every image is missing.
    """
    left_out = Omissions()
    source = find_table(root, [_TABLE], ABOUT.holds)
    unique = ("patient_id", "image_id")
    table = read_table(source, _COLUMNS, left_out, unique=unique, published=_ROWS)
    images = find_images(root, _SUFFIXES, left_out, f"{_IMAGES}/")
    cancer, biopsy = (_of_breasts(source, table, name) for name in ("cancer", "biopsy"))
    rows: list[dict[str, Any]] = []
    unusable = []
    for number, cells in table.to_dict("index").items():
        patient, image, side = cells["patient_id"], cells["image_id"], cells["laterality"]
        if side not in ("L", "R") or not cells["view"] or not (is_safe_id(patient) and is_safe_id(image)):
            unusable.append(number)
            continue
        path = images.get(f"{_IMAGES}/{patient}/{image}", root / _IMAGES / patient / f"{image}.dcm")
        rows.append(
            {
                ROW: number,
                "patient_id": patient,
                "exam_id": patient,
                "image_id": f"{patient}_{image}",
                "laterality": side,
                "view": cells["view"],
                "path": str(path.absolute()),
                "benign": biopsy[patient, side] if cancer[patient, side] == 0 else None,
                "malignant": cancer[patient, side],
                "birads": cells.get("BIRADS", "").removesuffix(".0"),
                **{name: cells[name].removesuffix(".0") for name in _FURTHER if name in cells},
            }
        )
    left_out.add(source, "rows left out, their ids, view or laterality cannot be used", unusable)
    return to_manifest(rows, root, masks, left_out, images.values(), source)


def _of_breasts(source: Path, table: pd.DataFrame, column: str) -> dict[Breast, int | None]:
    """0, 1 or None (unknown: an image of the breast has no value, or they differ)."""
    found: dict[Breast, set[int | None]] = defaultdict(set)
    for patient, side, text in zip(table["patient_id"], table["laterality"], table[column], strict=True):
        found[patient, side].add(_FLAGS.get(text))
    differing = [" ".join(breast) for breast, values in found.items() if len(values) > 1]
    tell(f"%s: %d breasts have several values of {column}, label left empty: %s", source, differing)
    return {breast: values.pop() if len(values) == 1 else None for breast, values in found.items()}
