"""RSNA Screening Mammography Breast Cancer Detection (Kaggle, 2022) -> a manifest.

    train.csv                                   a row per image; what it says of biopsy and cancer holds for the breast
    train_images/<patient_id>/<image_id>.dcm    also .png if converted

    cancer 1             malignant 1, benign unknown
    cancer 0, biopsy 1   malignant 0, benign 1: whatever was biopsied was not cancer
    cancer 0, biopsy 0   malignant 0, benign 0: nothing was biopsied

An empty or contradictory cell leaves its label unknown. Every patient has one exam, some with several images of a view;
views beside CC and MLO (AT, LM, ML, LMO) keep their name.
"""

from pathlib import Path
from typing import Any

from mammoseg.ingest.data_set import About, Adapted, Breast, Cells, DataSet, Totals, agreed
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

_IMAGES = "train_images"
_COLUMNS = ("patient_id", "image_id", "laterality", "view", "cancer", "biopsy")
_FURTHER = ("site_id", "age", "invasive", "implant", "density", "machine_id", "difficult_negative_case")
_FLAGS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1}


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root` that are in train.csv; `masks` stays empty, the data set has none.

    Raises AdapterError if the table or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    table = data.table(["train.csv"], _COLUMNS, unique=("patient_id", "image_id"), published=54_706)
    images = data.images((".dcm", ".png"), f"{_IMAGES}/")
    cancer = agreed(table, "several values of cancer", lambda cells: (_breast(cells), _FLAGS.get(cells["cancer"])))
    biopsy = agreed(table, "several values of biopsy", lambda cells: (_breast(cells), _FLAGS.get(cells["biopsy"])))

    def row(cells: Cells) -> dict[str, Any] | None:
        patient, image = cells["patient_id"], cells["image_id"]
        if (
            cells["laterality"] not in ("L", "R")
            or not cells["view"]
            or not (is_safe_id(patient) and is_safe_id(image))
        ):
            return None
        malignant = cancer[_breast(cells)]
        return {
            "patient_id": patient,
            "exam_id": patient,
            "image_id": f"{patient}_{image}",
            "laterality": cells["laterality"],
            "view": cells["view"],
            "path": images.get(f"{_IMAGES}/{patient}/{image}", root / _IMAGES / patient / f"{image}.dcm"),
            "benign": biopsy[_breast(cells)] if malignant == 0 else None,
            "malignant": malignant,
            "birads": cells.get("BIRADS", "").removesuffix(".0"),
            **{name: cells[name].removesuffix(".0") for name in _FURTHER if name in cells},
        }

    return data.manifest(data.rows(table, row, "their ids, view or laterality"), images.values(), table.path)


def _breast(cells: Cells) -> Breast:
    return cells["patient_id"], cells["laterality"]
