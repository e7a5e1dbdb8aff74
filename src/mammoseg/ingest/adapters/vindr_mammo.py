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

import pandas as pd

from mammoseg.ingest.about import About, Totals
from mammoseg.ingest.adapted import ROW, Adapted, find_images, find_table, to_manifest
from mammoseg.ingest.drawing import Box, draw_mask, write_mask
from mammoseg.ingest.omissions import Omissions, tell
from mammoseg.ingest.tables import read_table
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

_BREASTS, _FINDINGS = "breast-level_annotations.csv", "finding_annotations.csv"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_COLUMNS = (
    *("study_id", "image_id", "laterality", "view_position"),
    *("height", "width", "breast_birads", "breast_density", "split"),
)
_SUFFIXES = (".dicom", ".dcm", ".png")
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
    left_out = Omissions()
    source = find_table(root, [_BREASTS], ABOUT.holds)
    table = read_table(source, _COLUMNS, left_out, unique=("image_id",), published=20_000)
    boxes = _boxes(find_table(root, [_FINDINGS], ABOUT.holds), left_out)
    birads = _of_breasts(source, table)
    images = find_images(root, _SUFFIXES, left_out, "images/")
    rows: list[dict[str, Any]] = []
    unusable, undrawn = [], []
    for number, cells in table.to_dict("index").items():
        study, image_id = cells["study_id"], cells["image_id"]
        told = cells["laterality"] in ("L", "R") and cells["view_position"]
        if not (told and is_safe_id(study) and is_safe_id(image_id)):
            unusable.append(number)
            continue
        path = images.get(f"images/{study}/{image_id}", root / "images" / study / f"{image_id}.dicom")
        grade = birads[study, cells["laterality"]]
        drawn = {}
        if image_id in boxes and path.is_file():
            drawn = _draw(masks, image_id, cells, boxes[image_id])
            undrawn += [] if drawn else [number]
        rows.append(
            {
                ROW: number,
                "patient_id": study,
                "exam_id": study,
                "image_id": image_id,
                "laterality": cells["laterality"],
                "view": cells["view_position"],
                "path": str(path.absolute()),
                **dict(zip(CLASSES, _LABELS.get(grade, (None, None)), strict=True)),
                **drawn,
                "split": _SPLITS.get(cells["split"]),
                "birads": grade,
                "density": cells["breast_density"].removeprefix("DENSITY "),
            }
        )
    left_out.add(source, "rows left out, their ids, laterality or view cannot be used", unusable)
    tell("%s: %d images without their masks, size or boxes cannot be used: rows %s", source, undrawn)
    return to_manifest(rows, root, masks, left_out, images.values(), source)


def _of_breasts(source: Path, table: pd.DataFrame) -> dict[tuple[str, str], str]:
    """(study, side) -> BI-RADS of the breast, "" if it is missing or differs between its images."""
    found = defaultdict(set)
    for study, side, text in zip(table["study_id"], table["laterality"], table["breast_birads"], strict=True):
        found[study, side].add(_grade(text))
    differing = [" ".join(breast) for breast, grades in found.items() if len(grades) > 1]
    tell("%s: %d breasts have several BI-RADS values, labels left empty: %s", source, differing)
    return {breast: grades.pop() if len(grades) == 1 else "" for breast, grades in found.items()}


def _boxes(source: Path, left_out: Omissions) -> Boxes:
    table = read_table(source, ("image_id", "finding_birads", *_CORNERS), left_out, published=20_486)
    boxes: Boxes = defaultdict(lambda: defaultdict(list))
    undecided, unusable = [], []
    for number, cells in table.to_dict("index").items():
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
    tell("%s: %d boxes left out, their numbers are no box: rows %s", source, unusable)
    tell("%s: %d boxes of BI-RADS 3 or none are in no mask: rows %s", source, undecided)
    return boxes


def _box(texts: list[str]) -> Box | None:
    try:
        xmin, ymin, xmax, ymax = map(float, texts)
    except ValueError:
        return None
    fits = all(map(math.isfinite, (xmin, ymin, xmax, ymax))) and xmin <= xmax and ymin <= ymax
    return (xmin, ymin, xmax, ymax) if fits else None


def _draw(masks: Path, image_id: str, cells: dict[Any, str], boxes: dict[str, list[Box]]) -> dict[str, str]:
    """`<class>_mask` -> file, of the classes that have boxes; empty if they cannot be drawn."""
    try:
        shape = int(cells["height"]), int(cells["width"])
        drawn = {label: draw_mask(shape, boxes=found) for label, found in boxes.items()}
    except ValueError:
        return {}
    files = {f"{label}_mask": write_mask(masks / f"{image_id}_{label}.png", mask) for label, mask in drawn.items()}
    return {name: file for name, file in files.items() if file is not None}


def _grade(text: str) -> str:
    """`BI-RADS 4` -> `4`; "" for anything else."""
    match = re.fullmatch(r"BI-RADS ([0-6])", text)
    return match[1] if match else ""
