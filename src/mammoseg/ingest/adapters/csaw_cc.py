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

from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from mammoseg.ingest.about import About
from mammoseg.ingest.adapted import ROW, Adapted, find_images, find_table, to_manifest
from mammoseg.ingest.omissions import Omissions, tell
from mammoseg.ingest.tables import read_table
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

Breast = tuple[str, str]
"""(exam_id, laterality)"""
Cells = dict[Any, str]
"""A row of the table: column -> text."""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root` that are in the table; `masks` stays empty, the data set has none.

    Raises AdapterError if the table or every image is missing.
    """
    left_out = Omissions()
    source, separator = _table(root)
    table = read_table(source, (*_USED, *_LABELS), left_out, separator, unique=("anon_filename",))
    malignant = _of_breasts(source, table)
    files = _files(root, left_out)
    rows: list[dict[str, Any]] = []
    unusable = []
    for number, cells in table.to_dict("index").items():
        name, side = cells["anon_filename"], side_of(cells["imagelaterality"])
        image_id = name.rpartition(".")[0] if name.lower().endswith(_SUFFIXES) else name
        if side is None or not cells["viewposition"] or not is_safe_id(image_id) or not _exam(cells).strip("_"):
            unusable.append(number)
            continue
        rows.append(
            {
                ROW: number,
                "patient_id": cells["anon_patientid"],
                "exam_id": _exam(cells),
                "image_id": image_id,
                "laterality": side,
                "view": cells["viewposition"],
                "path": str(files.get(image_id, root.absolute() / name)),
                "benign": None,
                "malignant": malignant[_exam(cells), side],
                "malignant_mask": files.get(f"{image_id}{_MASK}") if malignant[_exam(cells), side] else None,
                **{str(column): text for column, text in cells.items() if column not in _USED or column == "exam_year"},
            }
        )
    left_out.add(source, "rows left out, their ids, view or laterality cannot be used", unusable)
    images = [path for name, path in files.items() if not name.endswith(_MASK)]
    return to_manifest(rows, root, masks, left_out, images, source)


def _of_breasts(source: Path, table: pd.DataFrame) -> dict[Breast, int | None]:
    """0, 1 or None (unknown, or its rows contradict each other)."""
    found: dict[Breast, set[int | None]] = defaultdict(set)
    for cells in table.to_dict("records"):
        side = side_of(cells["imagelaterality"])
        if side is not None:
            found[_exam(cells), side].add(_malignant(side, *(cells[name].removesuffix(".0") for name in _LABELS)))
    differing = [" ".join(breast) for breast, values in found.items() if len(values) > 1]
    tell("%s: %d breasts have contradictory labels, left empty: %s", source, differing)
    return {breast: values.pop() if len(values) == 1 else None for breast, values in found.items()}


def _malignant(side: str, case: str, cancer_side: str, timing: str) -> int | None:
    """See the table above."""
    affected = side_of(cancer_side)
    if case == "0":
        return None if affected else 0
    if case != "1" or affected is None:
        return None
    if side != affected:
        return 0
    return 1 if timing == "1" else None


def _exam(cells: Cells) -> str:
    return f"{cells['anon_patientid']}_{cells['exam_year'].removesuffix('.0')}"


def _table(root: Path) -> tuple[Path, str]:
    """The table in `root` and its separator."""
    for path in sorted(path for path in root.glob("*.csv") if path.is_file()):
        with path.open("rb") as file:
            header = file.readline(10_000)
        if b"anon_filename" in header:
            return path, ";" if b";" in header else ","
    return find_table(root, [_TABLE], ABOUT.holds), ","


def _files(root: Path, left_out: Omissions) -> dict[str, Path]:
    """Image id -> file, of all folders; DICOM before PNG, then the first by path."""
    found = find_images(root.absolute(), _SUFFIXES, left_out).values()
    order = sorted(found, key=lambda path: (_SUFFIXES.index(path.suffix.lower()), path), reverse=True)
    return {path.stem: path for path in order}
