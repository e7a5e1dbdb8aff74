"""CBIS-DDSM (The Cancer Imaging Archive) -> a manifest: a row per film, with the union of its outlined abnormalities.

    mass_case_description_train_set.csv ...     the four tables, a row per abnormality; in the folder or in csv/
    .../Mass-Training_P_00001_LEFT_CC/...       the film: 000000.dcm, or 1-1.dcm in newer downloads
    .../Mass-Training_P_00001_LEFT_CC_1/...     mask and crop of its abnormality 1, under changing names
    csv/dicom_info.csv, jpeg/...                the same as 8-bit JPEG files, in the copy on Kaggle

Labels     A breast has the label of a class if one of its abnormalities in the four tables has that pathology, else 0:
           radiologists marked whatever was abnormal. BENIGN_WITHOUT_CALLBACK is benign. No case is normal.
Masks      Which file is the mask is decided by size and values: the shape of the film and only two values. Another size
           of the same shape is resized by nearest neighbour. If one mask of a class cannot be used, the film has no mask
           of that class: the place would be incomplete.
Split      The official test set is kept whole. It was drawn for masses and for calcifications apart, so that patients
           are in both parts: their films outside the test tables are left out. There is no validation part.

Source: Lee et al., Scientific Data 4 (2017) 170177.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.ingest.data_set import About, Adapted, Cells, DataSet, tell
from mammoseg.ingest.drawing import DrawingError, draw_mask, image_shape
from mammoseg.ingest.files import find_files
from mammoseg.io.dicom.pixels import read_dicom_pixels
from mammoseg.io.read import ImageReadError, is_dicom, read_pixels
from mammoseg.records.image import MAX_PIXELS, side_of
from mammoseg.records.label import CLASSES

ABOUT = About(
    title="CBIS-DDSM",
    label_source=(
        "Pathology of each abnormality in the tables, for the breast: 1 if it has one of that class, else 0. "
        "BENIGN_WITHOUT_CALLBACK (no biopsy, seen again for years) is benign."
    ),
    licence="CC BY 3.0; cite Lee et al. 2017 and the collection (doi 10.7937/K9/TCIA.2016.7O02S9CY).",
    defects=(
        "There are no normal cases: 0 means that the breast's marked abnormalities are of the other class.",
        "31 patients are in the training and in the test tables; their films outside the test tables are left out.",
        "Mask and crop change names between the tables; the mask is recognised by its size and values.",
        "Some masks have another size than their film (resized), or belong to another film (not used).",
        "Masks of calcifications are wide regions; only masks of masses follow the lesion.",
        "Films scanned by several machines (0.042 to 0.05 mm); the files do not tell which, so pixel_mm is empty.",
        "Density 0 occurs, which is no class. The Kaggle copy is 8-bit lossy JPEG.",
        "The official split has no validation part: `train` draws one from training.",
        "Labels, frames and scanner marks are in the films: prep.background=film is for such, but was tried on mini-MIAS only.",
    ),
    url="https://www.cancerimagingarchive.net/collection/cbis-ddsm/",
    holds="the four tables mass_case_description_train_set.csv ... (all are needed, also in csv/) beside the images",
)

_TABLES = {
    f"{kind}_case_description_{split}_set.csv": (split, rows)
    for kind, split, rows in (
        ("mass", "train", 1318),
        ("calc", "train", 1546),
        ("mass", "test", 378),
        ("calc", "test", 326),
    )
}
"""Table -> split, and its published number of rows."""
_COLUMNS = (
    *("patient_id", "left or right breast", "image view", "abnormality id", "abnormality type", "assessment"),
    *("pathology", "image file path", "cropped image file path", "ROI mask file path"),
)
_LABELS = {"MALIGNANT": "malignant", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}
_VIEWS = ("CC", "MLO")
_FOLDER = re.compile(r"(?:Mass|Calc)-(?:Training|Test)_P_\d+_(?:LEFT|RIGHT)_(?:CC|MLO)(?:_\d+)?")
_SUFFIXES = (".dcm", ".png", ".jpg", ".jpeg")
_SAME_SHAPE = 0.02
"""Largest difference between the ratios of height to width of a film and a mask of it."""
_TWO_VALUED = 0.99
"""Least part of a mask's pixels near its lowest or highest value; JPEG smears the rest."""

Files = dict[str, list[Path]]
"""Folder name in the tables, such as Mass-Training_P_00001_LEFT_CC_1 -> its image files."""
Abnormality = dict[str, Any]
"""Columns of the manifest, and its `label`, the folder of its `film`, and the `folders` of mask and crop."""


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The films below `root`; masks are written to `masks`.

    Raises AdapterError if one of the tables or every image is missing.
    """
    data = DataSet(root, masks, ABOUT)
    films: dict[str, list[Abnormality]] = defaultdict(list)
    breasts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for abnormality in _abnormalities(data):
        films[abnormality["image_id"]].append(abnormality)
        breasts[abnormality["patient_id"], abnormality["laterality"]].add(abnormality["label"])
    named = {name for found in films.values() for a in found for name in (a["film"], *a["folders"])}
    tested = {a["patient_id"] for found in films.values() for a in found if a["split"] == "test"}
    files = _files(data)
    rows: list[dict[str, Any]] = []
    leaking, incomplete = [], []
    for image_id, found in films.items():
        patient, side = found[0]["patient_id"], found[0]["laterality"]
        split = "test" if any(a["split"] == "test" for a in found) else "train"
        if split == "train" and patient in tested:
            leaking.append(image_id)
            continue
        path = _film(root, files, found)
        row = {
            "patient_id": patient,
            "exam_id": patient,
            "image_id": image_id,
            "laterality": side,
            "view": found[0]["view"],
            "path": path,
            "split": split,
            "density": max(a["density"] for a in found),
            "birads": max(a["birads"] for a in found),
            "lesion_type": ";".join(sorted({a["lesion_type"] for a in found})),
            "abnormalities": len(found),
        }
        for label in CLASSES:
            row[label] = int(label in breasts[patient, side])
            if path.is_file() and (outlined := [a for a in found if a["label"] == label]):
                mask = _union(path, files, outlined)
                drawn = {} if mask is None else data.mask(image_id, label, mask)
                row |= drawn
                incomplete += [] if drawn else [f"{image_id} ({label})"]
        rows.append(row)
    tell("%s: %d films of patients in the test tables are left out, they are in the training tables: %s", root, leaking)
    tell("%s: %d films have no mask of a class, not all its mask files are there and fit: %s", root, incomplete)
    data.leave_out(root, "folders of images are in no row of the tables", files.keys() - named)
    return data.manifest(rows)


def _abnormalities(data: DataSet) -> Iterator[Abnormality]:
    for name, (split, published) in _TABLES.items():
        table = data.table([name, f"csv/{name}"], _COLUMNS, unique=_COLUMNS, published=published)
        for found in data.rows(table, _abnormality, "their patient, side, view, pathology or path"):
            yield {**found, "split": split}


def _abnormality(cells: Cells) -> Abnormality | None:
    film, mask, crop = (_folder(cells[f"{part} file path"]) for part in ("image", "ROI mask", "cropped image"))
    side, view = side_of(cells["left or right breast"]), cells["image view"].upper()
    label = _LABELS.get(cells["pathology"].upper())
    patient = re.fullmatch(r"(?:\S+_)?(P_\d+)(?:_\S+)?", cells["patient_id"])
    if not (film and label and patient and side and view in _VIEWS):
        return None
    return {
        "patient_id": patient[1],
        "image_id": f"{patient[1]}_{side}_{view}",
        "laterality": side,
        "view": view,
        "density": cells.get("breast density") or cells.get("breast_density", ""),
        "birads": cells["assessment"],
        "lesion_type": cells["abnormality type"],
        "label": label,
        "film": film,
        "folders": {name for name in (mask, crop) if name},
    }


def _folder(cell: str) -> str | None:
    """The folder a path of the tables begins with."""
    first = cell.strip("\"' \r\n").replace("\\", "/").split("/")[0]
    return first if _FOLDER.fullmatch(first) else None


def _files(data: DataSet) -> Files:
    found: Files = defaultdict(list)
    info = "csv/dicom_info.csv"
    if (data.root / info).is_file():
        for cells in data.table([info], ("PatientID", "image_path")).rows.values():
            path = data.root.joinpath("jpeg", *Path(cells["image_path"]).parts[-2:])
            found[cells["PatientID"]] += [path] if path.is_file() else []
        return found
    for place in find_files(data.root)[0]:
        if folder := next((part for part in place.parts[:-1] if _FOLDER.fullmatch(part)), None):
            found[folder] += [data.root / place] if place.suffix.lower() in _SUFFIXES else []
    return found


def _film(root: Path, files: Files, found: Sequence[Abnormality]) -> Path:
    """The file of the film, the largest if there are several; one that is not there if there is none."""
    names = [a["film"] for a in found]
    paths = next((files[name] for name in names if files.get(name)), [root / names[0]])
    return paths[0] if len(paths) == 1 else max(paths, key=_area)


def _area(path: Path) -> int:
    try:
        height, width = image_shape(path)
    except DrawingError:
        return 0
    return height * width


def _union(film: Path, files: Files, found: Sequence[Abnormality]) -> NDArray[np.bool_] | None:
    """(H, W) bool on the pixels of the film; None if one of the masks cannot be used."""
    try:
        united = draw_mask(image_shape(film))
    except DrawingError:
        return None
    for abnormality in found:
        candidates = {path for name in abnormality["folders"] for path in files.get(name, [])}
        read = (_mask(path, united.shape) for path in sorted(candidates, key=lambda p: (-_area(p), p)))
        mask = next((m for m in read if m is not None), None)
        if mask is None:
            return None
        united |= mask
    return united


def _mask(path: Path, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """The file as a mask of a film of this shape; None if it is none, or is empty."""
    try:
        height, width = image_shape(path)
        if abs(height * shape[1] / (width * shape[0]) - 1) > _SAME_SHAPE or height * width > MAX_PIXELS:
            return None
        pixels: NDArray[Any] = read_dicom_pixels(path).pixels if is_dicom(path) else read_pixels(path)
    except (DrawingError, ImageReadError):
        return None
    low, high = int(pixels.min()), int(pixels.max())
    near = (high - low) // 8
    if low == high or np.mean((pixels <= low + near) | (pixels >= high - near)) < _TWO_VALUED:
        return None
    mask = (pixels > (low + high) // 2).astype(np.uint8)
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)
