"""INbreast (Breast Research Group, INESC Porto; on request) -> a manifest with masks of the radiologists' contours.

    INbreast.csv                                            a row per image, cells separated by ;
    AllDICOMs/<file name>_<patient>_MG_<side>_<view>_ANON.dcm      also .png or .tif, if converted; ML stands for MLO
    AllXML/<file name>.xml                                  contours as OsiriX writes them, of the images that have any

Nothing tells the result of a biopsy for a single image: labels come from the BI-RADS of the breast, the highest of its
images in the exam.

    BI-RADS     1    2    3         4a, 4b, 4c, 5, 6
    benign      0    1    unknown   unknown
    malignant   0    0    unknown   1, a suspicion (6: known before the exam)

Contours are of no class themselves. They are drawn into the mask of the class their image's own BI-RADS stands for, if
the breast has that label: all of them, masses, calcifications, distortions and single points (a pixel each) alike.
Those of BI-RADS 1 and 3 are in no mask. An exam is a patient and a month.

Source: Moreira et al., Academic Radiology 19 (2012) 236-248.
"""

import plistlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from mammoseg.ingest.data_set import About, Adapted, Cells, DataSet, Totals, tell
from mammoseg.ingest.drawing import DrawingError, Outline, draw_mask, image_shape
from mammoseg.ingest.files import find_files
from mammoseg.records.label import CLASSES

ABOUT = About(
    title="INbreast",
    label_source=(
        "BI-RADS of the breast, not pathology. 1: neither; 2: benign; 3: unknown; 4 to 6: malignant, as a suspicion, "
        "benign unknown."
    ),
    licence="On request, for research; no redistribution.",
    defects=(
        "Malignant means suspected (BI-RADS 4 and 5) or known (6); which lesions were cancer is not told.",
        "Benign is BI-RADS 2, mostly without biopsy; in data sets with biopsies benign is a biopsied finding.",
        "A contour gets the class of its image: benign calcifications beside a suspicious mass count as malignant.",
        "Single calcifications are points, one pixel each; names of contours vary (Espiculated Region, Assymetry).",
        "ML in file names stands for MLO; one image has the view FB, one no density.",
        "The patient is known from the file names only.",
    ),
    url="https://doi.org/10.1016/j.acra.2011.09.014",
    holds="INbreast.csv beside AllDICOMs/ and AllXML/",
    published=Totals(images=410, source="Moreira et al. 2012"),
)

_PIXEL_MM = 0.07
"""Side of a pixel of the MammoNovation detector. Source: the paper, Materials and Methods."""

_COLUMNS = ("Laterality", "View", "Acquisition date", "File Name", "ACR", "Bi-Rads")
_IMAGE = re.compile(
    r"(?P<name>\d+)_(?P<patient>[0-9a-zA-Z]+)_MG_(?P<side>[LR])_(?P<view>[A-Z]+)_ANON\.(?i:dcm|png|tiff?)"
)
_VIEWS = {"ML": "MLO"}
_LABELS: dict[int, tuple[int | None, int | None]] = {1: (0, 0), 2: (1, 0), 4: (None, 1), 5: (None, 1), 6: (None, 1)}
"""BI-RADS -> benign, malignant; else both are unknown."""
_OF_CONTOURS = {2: "benign", 4: "malignant", 5: "malignant", 6: "malignant"}


class ContourError(ValueError):
    """A file that does not hold contours as OsiriX writes them."""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The images below `root`; masks are written to `masks`. Raises AdapterError if the table or every image is missing."""
    data = DataSet(root, masks, ABOUT)
    table = data.table(["INbreast.csv"], _COLUMNS, unique=("File Name",), published=410)
    places = [root / place for place in find_files(root)[0]]
    files = {match["name"]: (path, match) for path in places if (match := _IMAGE.fullmatch(path.name))}
    contours = {path.stem: path for path in places if path.suffix.lower() == ".xml"}

    def row(cells: Cells) -> dict[str, Any] | None:
        path, name = files.get(cells["File Name"], (None, None))
        if name is None or cells["Laterality"] != name["side"]:
            return None
        view = cells["View"] or name["view"]
        return {
            "patient_id": name["patient"],
            "exam_id": f"{name['patient']}_{cells['Acquisition date'] or 'unknown'}",
            "image_id": name["name"],
            "laterality": name["side"],
            "view": _VIEWS.get(view, view),
            "path": path,
            "pixel_mm": _PIXEL_MM,
            "birads": cells["Bi-Rads"],
            "density": cells["ACR"],
        }

    rows = data.rows(table, row, "the image of their file name and side")
    _label(rows)
    _draw(data, rows, contours)
    return data.manifest(rows, [path for path, _ in files.values()], table.path)


def _label(rows: list[dict[str, Any]]) -> None:
    """Fill in the labels of each breast."""
    highest: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        breast = row["exam_id"], row["laterality"]
        highest[breast] = max(highest[breast], _category(row["birads"]))
    for row in rows:
        row |= zip(CLASSES, _LABELS.get(highest[row["exam_id"], row["laterality"]], (None, None)), strict=True)


def _category(birads: str) -> int:
    """`4a` -> 4; 0 for anything that is no BI-RADS category."""
    match = re.fullmatch(r"([1-6])[abc]?", birads.lower())
    return int(match[1]) if match else 0


def _draw(data: DataSet, rows: list[dict[str, Any]], contours: dict[str, Path]) -> None:
    """Write the masks of the rows that have contours, and note them there."""
    undecided, unreadable = [], []
    for row in rows:
        if row["image_id"] not in contours:
            continue
        try:
            found = _read_contours(contours[row["image_id"]])
            mask = draw_mask(image_shape(row["path"]), outlines=[outline for _, outline in found])
        except (DrawingError, ContourError):
            unreadable.append(row["image_id"])
            continue
        row["lesion_type"] = ";".join(sorted({name for name, _ in found}))
        label = _OF_CONTOURS.get(_category(row["birads"]))
        if label is None or row[label] != 1:
            undecided.append(row["image_id"])
            continue
        row |= data.mask(row["image_id"], label, mask)
    tell("%s: contours of %d images are of no class by their BI-RADS and in no mask: %s", data.root, undecided)
    tell("%s: contours of %d images cannot be read or drawn: %s", data.root, unreadable)


def _read_contours(path: Path) -> list[tuple[str, Outline]]:
    """Name and points of every contour. An XML property list: plistlib refuses entities, so nothing else is opened."""
    try:
        with path.open("rb") as file:
            content = plistlib.load(file, fmt=plistlib.FMT_XML)
        rois = [roi for image in content["Images"] for roi in image["ROIs"]]
        return [(str(roi.get("Name") or "Unnamed"), [_point(text) for text in roi["Point_px"]]) for roi in rois]
    except (OSError, ExpatError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ContourError(
            f"{path}: no contours ({type(error).__name__}). Expected a property list of OsiriX with Images, ROIs and "
            "Point_px. Copy the file again."
        ) from error


def _point(text: str) -> tuple[float, float]:
    """`(1024.5, 300)` -> x, y."""
    x, y = text.strip("() ").split(",")[:2]
    return float(x), float(y)
