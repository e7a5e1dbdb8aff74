"""CSAW-CC, the case-control subset of the Cohort of Screen-Aged Women (Stockholm) -> a manifest.

    CSAW-CC_breast_cancer_screening_data.csv   a row per image, commas or semicolons; the name is not relied on
    .../<anon_filename>                        the images, in any folder below; also .png if converted
    .../<anon_filename less .dcm>_mask.png     outlines of visible cancers, on the pixels of the image

Labels say whether there is a cancer that screening found, not whether one came later. Of a woman with cancer (`x_case` 1),
the breast `x_cancer_laterality` names is

    rad_timing 1   malignant 1: found by this screening exam (diagnosis within 60 days)
    rad_timing 2   unknown: interval cancer (60 to 729 days), seen by nobody in these images, perhaps there
    rad_timing 3   unknown: diagnosis later (from 730 days)

and her other breast, as both of a woman without cancer (`x_case` 0), malignant 0: the cancer register knows none. A mask
is used where malignant is 1. Benign findings are not recorded: benign is always unknown. Dates are years only: the images
of a woman in a year are one exam.
"""

from pathlib import Path
from typing import Any

from mammoseg.ingest.data_set import About, Adapted, Breast, Cells, DataSet, agreed
from mammoseg.io.runs import is_safe_id
from mammoseg.records.image import side_of

ABOUT = About(
    title="CSAW-CC",
    label_source=(
        "Regional cancer register. Malignant: the breast with a cancer found by this exam; breasts of women without "
        "cancer, and the other breast of those with one: not malignant. Benign is not recorded: always unknown."
    ),
    licence="Images on request from the Swedish National Data Service, under the terms agreed there.",
    defects=(
        "Exams before an interval or later cancer are unknown on that side, although the cancer may be visible.",
        "Not malignant means no cancer in the register up to the end of follow-up, which is short for the last exams.",
        "Women with cancer are one in ten, far more than in screening: predictive values do not carry over.",
        "The date in file names (20990909) is a placeholder; only the year of an exam is known.",
        "A few exams have two images of every view.",
        "x_type, x_lymphnode_met, rad_timing and rad_recall are outcomes, kept to select by, not to predict from.",
    ),
    url="https://doi.org/10.5878/45vm-t798",
    holds="CSAW-CC_breast_cancer_screening_data.csv, or another CSV file with anon_filename, beside the images",
)

_TABLE = "CSAW-CC_breast_cancer_screening_data.csv"
_USED = ("anon_patientid", "exam_year", "anon_filename", "imagelaterality", "viewposition")
_LABELS = ("x_case", "x_cancer_laterality", "rad_timing")
_SUFFIXES = (".dcm", ".dicom", ".png")
_MASK = "_mask"
"""What the name of an outline ends in."""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root` that are in the table; `masks` stays empty, the data set has none.

    Raises AdapterError if the table or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    table = data.table([_table(root)], (*_USED, *_LABELS), unique=("anon_filename",))
    malignant = agreed(table, "contradictory rows", lambda cells: (_breast(cells), _malignant(cells)))
    files = _files(data)

    def row(cells: Cells) -> dict[str, Any] | None:
        name, side = cells["anon_filename"], side_of(cells["imagelaterality"])
        image_id = name.rpartition(".")[0] if name.lower().endswith(_SUFFIXES) else name
        exam, _ = breast = _breast(cells)
        if side is None or not cells["viewposition"] or not is_safe_id(image_id) or not exam.strip("_"):
            return None
        return {
            "patient_id": cells["anon_patientid"],
            "exam_id": exam,
            "image_id": image_id,
            "laterality": side,
            "view": cells["viewposition"],
            "path": files.get(image_id, root / name),
            "benign": None,
            "malignant": malignant[breast],
            "malignant_mask": files.get(f"{image_id}{_MASK}") if malignant[breast] else None,
            **{column: text for column, text in cells.items() if column not in _USED or column == "exam_year"},
        }

    rows = data.rows(table, row, "their ids, view or laterality")
    return data.manifest(rows, [path for name, path in files.items() if not name.endswith(_MASK)], table.path)


def _malignant(cells: Cells) -> int | None:
    """See the table above."""
    case, cancer_side, timing = (cells[name].removesuffix(".0") for name in _LABELS)
    affected = side_of(cancer_side)
    if case == "0":
        return None if affected else 0
    if case != "1" or affected is None:
        return None
    if side_of(cells["imagelaterality"]) != affected:
        return 0
    return 1 if timing == "1" else None


def _breast(cells: Cells) -> Breast:
    return f"{cells['anon_patientid']}_{cells['exam_year'].removesuffix('.0')}", side_of(cells["imagelaterality"]) or ""


def _table(root: Path) -> str:
    """The name of the table in `root`."""
    for path in sorted(path for path in root.glob("*.csv") if path.is_file()):
        with path.open("rb") as file:
            if b"anon_filename" in file.readline(10_000):
                return path.name
    return _TABLE


def _files(data: DataSet) -> dict[str, Path]:
    """Image id -> file, of all folders; DICOM before PNG, then the first by path."""
    found = data.images(_SUFFIXES).values()
    order = sorted(found, key=lambda path: (_SUFFIXES.index(path.suffix.lower()), path), reverse=True)
    return {path.stem: path.absolute() for path in order}
