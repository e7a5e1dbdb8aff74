"""VinDr-Mammo (PhysioNet, version 1.0.0) -> a manifest.

    breast-level_annotations.csv            a row per image: BI-RADS and density of its breast, the official split
    finding_annotations.csv                 a row per finding in an image: its BI-RADS and its box in pixels of the image
    images/<study_id>/<image_id>.dicom      also .dcm, or .png if converted

Nothing was biopsied, or it is not told: labels are what radiologists thought, from the BI-RADS of the breast.

    BI-RADS     1    2    3         4, 5
    benign      0    1    unknown   unknown
    malignant   0    0    unknown   1, a suspicion

A breast with other, missing or contradictory values is unknown. A box is drawn into the mask of the class that its own
BI-RADS stands for: 2 benign, 4 and 5 malignant, 3 and none neither. Source: Nguyen et al., Scientific Data 10 (2023) 277.
"""

import math
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from mammoseg.ingest.data_set import About, Adapted, Breast, Cells, DataSet, Totals, agreed, tell
from mammoseg.ingest.drawing import Box, draw_mask
from mammoseg.io.runs import is_safe_id
from mammoseg.records.label import CLASSES

ABOUT = About(
    title="VinDr-Mammo",
    label_source=(
        "BI-RADS of the breast, two radiologists with arbitration, not pathology. 1: neither; 2: benign; 3: unknown; "
        "4 and 5: malignant, as a suspicion, benign unknown."
    ),
    licence="PhysioNet Restricted Health Data License 1.5.0: registered users, no redistribution.",
    defects=(
        "Malignant means suspected: most findings of BI-RADS 4 turn out benign. Scores against these labels are "
        "agreement with radiologists, not with biopsies.",
        "Benign is BI-RADS 2, also calcified vessels and cysts; in data sets with biopsies benign is a biopsied finding.",
        "Boxes were drawn for BI-RADS 3 and higher only: benign breasts have no masks. A box is larger than its lesion.",
        "There are no patient ids: every study is taken for a patient of its own.",
        "The official split is training and test, without a validation part: `train` draws one from training.",
        "Boxes reach beyond the image in places: cut off.",
    ),
    url="https://physionet.org/content/vindr-mammo/1.0.0/",
    holds="breast-level_annotations.csv and finding_annotations.csv beside images/<study_id>/<image_id>.dicom",
    published=Totals(images=20_000, exams=5_000, source="Nguyen et al. 2023"),
)

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_COLUMNS = (
    *("study_id", "image_id", "laterality", "view_position"),
    *("height", "width", "breast_birads", "breast_density", "split"),
)
_SPLITS = {"training": "train", "test": "test"}
_LABELS: dict[str, tuple[int | None, int | None]] = {"1": (0, 0), "2": (1, 0), "4": (None, 1), "5": (None, 1)}
"""BI-RADS -> benign, malignant; else both are unknown."""
_OF_BOX = {"2": "benign", "4": "malignant", "5": "malignant"}

Boxes = dict[str, dict[str, list[Box]]]
"""image_id -> class -> boxes."""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root` that are in the tables; masks of the boxes are written to `masks`.

    Raises AdapterError if a table or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    table = data.table(["breast-level_annotations.csv"], _COLUMNS, unique=("image_id",), published=20_000)
    boxes = _boxes(data)
    birads = agreed(table, "several BI-RADS values", lambda cells: (_breast(cells), _grade(cells["breast_birads"])))
    images = data.images((".dicom", ".dcm", ".png"), "images/")
    undrawn = []

    def row(cells: Cells) -> dict[str, Any] | None:
        study, image_id = cells["study_id"], cells["image_id"]
        told = cells["laterality"] in ("L", "R") and cells["view_position"]
        if not (told and is_safe_id(study) and is_safe_id(image_id)):
            return None
        path = images.get(f"images/{study}/{image_id}", root / "images" / study / f"{image_id}.dicom")
        grade = birads[_breast(cells)] or ""
        drawn = _draw(data, cells, boxes[image_id]) if image_id in boxes and path.is_file() else {}
        if drawn is None:
            undrawn.append(image_id)
        return {
            "patient_id": study,
            "exam_id": study,
            "image_id": image_id,
            "laterality": cells["laterality"],
            "view": cells["view_position"],
            "path": path,
            **dict(zip(CLASSES, _LABELS.get(grade, (None, None)), strict=True)),
            **(drawn or {}),
            "split": _SPLITS.get(cells["split"]),
            "birads": grade,
            "density": cells["breast_density"].removeprefix("DENSITY "),
        }

    rows = data.rows(table, row, "their ids, laterality or view")
    tell("%s: %d images without their masks, size or boxes cannot be used: %s", table.path, undrawn)
    return data.manifest(rows, images.values(), table.path)


def _boxes(data: DataSet) -> Boxes:
    table = data.table(["finding_annotations.csv"], ("image_id", "finding_birads", *_CORNERS), published=20_486)
    boxes: Boxes = defaultdict(lambda: defaultdict(list))
    undecided, unusable = [], []
    for number, cells in table.rows.items():
        texts = [cells[name] for name in _CORNERS]
        if not any(texts):
            continue
        box, label = _box(texts), _OF_BOX.get(_grade(cells["finding_birads"]))
        if box is None:
            unusable.append(number)
        elif label is None:
            undecided.append(number)
        else:
            boxes[cells["image_id"]][label].append(box)
    tell("%s: %d boxes left out, their numbers are no box: rows %s", table.path, unusable)
    tell("%s: %d boxes of BI-RADS 3 or none are in no mask: rows %s", table.path, undecided)
    return boxes


def _box(texts: list[str]) -> Box | None:
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError:
        return None
    fits = all(map(math.isfinite, (xmin, ymin, xmax, ymax))) and xmin <= xmax and ymin <= ymax
    return (xmin, ymin, xmax, ymax) if fits else None


def _draw(data: DataSet, cells: Cells, boxes: dict[str, list[Box]]) -> dict[str, str] | None:
    """The masks of the classes that have boxes; None if they cannot be drawn, or none is within the image."""
    try:
        shape = int(cells["height"]), int(cells["width"])
        drawn = {label: draw_mask(shape, boxes=found) for label, found in boxes.items()}
    except ValueError:
        return None
    files: dict[str, str] = {}
    for label, mask in drawn.items():
        files |= data.mask(cells["image_id"], label, mask)
    return files or None


def _breast(cells: Cells) -> Breast:
    return cells["study_id"], cells["laterality"]


def _grade(text: str) -> str:
    """`BI-RADS 4` -> `4`; "" for anything else."""
    match = re.fullmatch(r"BI-RADS ([0-6])", text)
    return match[1] if match else ""
