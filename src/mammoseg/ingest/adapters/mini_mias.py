"""mini-MIAS (Mammographic Image Analysis Society, films of 0.2 mm pixels) -> a manifest with masks of the lesion circles.

    Info.txt            mdb001 G CIRC B 535 425 197: film, density, kind, severity, x, y, radius; a row per lesion
    .../mdb001.pgm      1024 x 1024 pixels; also .png, .tif or .jpg, in any folder below

Films 2k-1 and 2k are of one patient, odd numbers right, even numbers left, all MLO. y counts from the bottom: the row is
1024 - y. A circle encloses its lesion, so a mask is larger than the lesion. Some lesions have no place: their film has
no mask of that class then, since an unknown place is not an empty mask. Prepare the films with `prep.background=film`.

Source: Suckling et al., Exerpta Medica, International Congress Series 1069 (1994) 375-378.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg.bounded import read_bounded
from mammoseg.ingest.data_set import About, Adapted, AdapterError, DataSet, Totals, tell
from mammoseg.ingest.drawing import Circle, DrawingError, draw_mask, image_shape
from mammoseg.records.label import CLASSES

ABOUT = About(
    title="mini-MIAS",
    label_source="Severity of the lesions in Info.txt (benign, malignant); a film without lesion is neither.",
    licence="Research only, no renting, leasing or selling; cite Suckling et al. 1994. The agreement goes with every copy.",
    defects=(
        "Masks are circles around lesions, larger than the lesions; a few lie at the film's edge or beside the breast.",
        "Widespread calcifications have no place: no mask of that class.",
        "The films were scanned mirrored: lead letters name the other breast. The side follows the file's number.",
        "Each film is centred between black bands: the chest wall is not at the image border. Labels, tape and frames "
        "can be brighter than the breast: prepare with prep.background=film.",
        "MLO only, 8 bits, 0.2 mm pixels.",
    ),
    url="http://peipa.essex.ac.uk/info/mias.html",
    holds="Info.txt beside the films mdb001.pgm to mdb322.pgm",
    published=Totals(images=322, patients=161, source="Suckling et al. 1994"),
)

_PIXEL_MM = 0.2
_SIZE = 1024
_LINE = re.compile(
    r"mdb(?P<number>\d{3})\s+(?P<density>[FGD])\s+(?P<kind>[A-Z]{4})\b\s*(?P<severity>[BM]\b)?(?P<place>.*)"
)
_PLACE = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s*")
_SEVERITIES = {"B": "benign", "M": "malignant"}
_SUFFIXES = (".pgm", ".png", ".tif", ".tiff", ".jpg")


def make_manifest(root: Path, masks: Path) -> Adapted:
    """The films below `root`; masks are written to `masks`. Raises AdapterError without Info.txt or without any film."""
    data = DataSet(root, masks, ABOUT)
    films = _films(data, data.find("Info.txt"))
    there = sorted(data.images(_SUFFIXES).values(), reverse=True)
    files = {path.stem: path for path in there if path.name.startswith("mdb")}
    rows: list[dict[str, Any]] = []
    placeless = []
    for image_id, lines in films.items():
        number = int(image_id.removeprefix("mdb"))
        patient = f"mias{(number + 1) // 2:03d}"
        path = files.get(image_id, root / f"{image_id}.pgm")
        row: dict[str, Any] = {
            "patient_id": patient,
            "exam_id": patient,
            "image_id": image_id,
            "laterality": "R" if number % 2 else "L",
            "view": "MLO",
            "path": path,
            "pixel_mm": _PIXEL_MM,
            "horizontal_flip": "NO",
            "density": lines[0]["density"],
            "lesion_type": ";".join(sorted({line["kind"] for line in lines})),
        }
        for label in CLASSES:
            lesions = [_circle(line["place"]) for line in lines if _SEVERITIES.get(line["severity"]) == label]
            row[label] = int(bool(lesions))
            if lesions and path.is_file():
                drawn = data.mask(image_id, label, _draw(path, lesions))
                row |= drawn
                placeless += [] if drawn else [image_id]
        rows.append(row)
    tell("%s: %d films have lesions without a place on the film, no mask of that class: %s", root, placeless)
    return data.manifest(rows, files.values())


def _films(data: DataSet, path: Path) -> dict[str, list[re.Match[str]]]:
    """Image id -> its lines, of which all can be read."""
    try:
        text = read_bounded(path).decode("latin-1")
    except (OSError, ValueError) as error:
        raise AdapterError(
            f"{path}: the list of films cannot be read ({error}). Expected the Info.txt of mini-MIAS. Copy or download it again."
        ) from None
    films: dict[str, list[re.Match[str]]] = defaultdict(list)
    unusable: set[str] = set()
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match and (match["severity"] is None) == (match["kind"] == "NORM"):
            films[f"mdb{match['number']}"].append(match)
        elif line.startswith("mdb"):
            unusable.add(line.split()[0])
    data.leave_out(path, "films have a line that cannot be read and are left out", unusable)
    if not films and not unusable:
        raise AdapterError(
            f"{path}: no line names a film. Expected lines such as 'mdb001 G CIRC B 535 425 197'. Copy or download it again."
        )
    return {image_id: lines for image_id, lines in films.items() if image_id not in unusable}


def _circle(text: str) -> Circle | None:
    """x, y and radius with y from the top, or None: no place."""
    place = _PLACE.fullmatch(text)
    return (int(place[1]), _SIZE - int(place[2]), int(place[3])) if place else None


def _draw(path: Path, lesions: list[Circle | None]) -> NDArray[np.bool_]:
    """(H, W); nothing is drawn if a lesion has no place, or the film has not its published size."""
    circles = [circle for circle in lesions if circle]
    try:
        fits = len(circles) == len(lesions) and image_shape(path) == (_SIZE, _SIZE)
    except DrawingError:
        fits = False
    return draw_mask((_SIZE, _SIZE), circles=circles if fits else ())
