"""The record of a predicted image: a Prediction as plain values and back, and what makes either one sound (io/runs.py).

format 1   says nothing of findings; they are those of its maps (records/saliency.py). May lack the names that came later
format 2   has `findings`, and `source` with the DICOM identity of the file
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from mammoseg.io.errors import RunFileError
from mammoseg.io.pictures import MAX_PIXELS
from mammoseg.records.breast import BreastFacts
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction, Scores

RECORD_FORMAT = 2
_READ = (1, RECORD_FORMAT)
TEXTS = ("patient_id", "exam_id", "image_id", "laterality", "view")
"""What a record says in words."""
_FIELDS = {name: TypeAdapter[Any](kind) for name, kind in get_type_hints(Prediction).items() if name != "maps"}
_ROUNDING = 1e-3  # a probability may leave [0, 1] by what half precision loses, not by more


def record_of(prediction: Prediction) -> dict[str, Any]:
    """The plain values of its record; the maps as their shapes."""
    record = asdict(replace(prediction, maps={}))
    if prediction.source and prediction.source.path:
        record["source"]["path"] = str(prediction.source.path)
    shapes = {name: values.shape for name, values in prediction.maps.items()}
    return {"format": RECORD_FORMAT, **record, "maps": shapes}


def prediction_of(record: Mapping[str, Any], maps: Mapping[str, NDArray[np.float32]]) -> Prediction:
    """What `record_of` was made from. Any built-in error means a damaged record."""
    known = {name: kind.validate_python(record[name]) for name, kind in _FIELDS.items() if name in record}
    return Prediction(maps=maps, **known)


def facts_of(record: Mapping[str, Any]) -> BreastFacts | None:
    """`Prediction.facts`, also as a prepared crop notes them. Any built-in error means a damaged record."""
    facts: BreastFacts | None = _FIELDS["facts"].validate_python(record.get("facts"))
    return facts


def check_prediction(prediction: Prediction) -> None:
    """Raises RunFileError if a score or map is not a probability (a diverged model gives NaN), one is missing, or a finding
    is of no class of the model or beside the image."""
    where = f"image {prediction.image_id}"
    patches = {f"patch {number}": patch.scores for number, patch in enumerate(prediction.patches)}
    _check_scores(where, prediction.scores, {**prediction.parts, **patches})
    if "saliency" not in prediction.maps:
        raise RunFileError(
            f"{where}: there is no map 'saliency', only {sorted(prediction.maps)}; every model gives one."
        )
    for name, values in prediction.maps.items():
        if values.ndim != 3 or values.shape[0] != len(prediction.scores) or values.size == 0:
            expected = f"({len(prediction.scores)}, rows, columns), as there are scores"
            raise RunFileError(f"{where}: map {name!r} has shape {values.shape}; expected {expected}.")
        low, high = float(values.min()), float(values.max())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            raise RunFileError(f"{where}: map {name!r} has values in [{low}, {high}]; expected probabilities.")
    _check_findings(where, prediction.findings, prediction.scores, prediction.grid)


def _check_findings(where: str, findings: tuple[Finding, ...], scores: Scores, grid: PixelGrid) -> None:
    """Findings are of classes of the model, with a probability, in the pixels of the file."""
    height, width = grid.original_shape
    if height * width > MAX_PIXELS:
        raise RunFileError(f"{where}: the image has {height} x {width} pixels; expected at most {MAX_PIXELS}.")
    for number, finding in enumerate(findings):
        places = [finding.peak, *finding.polygon]
        turned = False
        if finding.box:
            top, left, bottom, right = finding.box
            places += [(top, left), (bottom, right)]
            turned = not (top < bottom and left < right)
        inside = all(0 <= row <= height and 0 <= col <= width for row, col in places)
        sound = finding.label in scores and 0 <= finding.score <= 1 and len(finding.polygon) not in (1, 2)
        if turned or not (sound and inside):
            raise RunFileError(
                f"{where}: finding {number} is {finding.label!r} with score {finding.score} at {finding.peak}; expected a "
                f"probability for one of {list(scores)}, and peak, box and outline in the {height} x {width} pixels of the image."
            )


def _check_scores(where: str, scores: Scores, parts: Mapping[str, Scores]) -> None:
    """The scores of an image are of at least one class, under names that can stand in those of files; those of its parts are of
    the same ones."""
    classes = list(scores)
    if not classes or not all(name.isidentifier() and name not in TEXTS for name in classes):
        raise RunFileError(f"{where}: scores is {dict(scores)}; expected a probability for each class of the model.")
    columns = [*classes, *(f"{part}_{name}" for part in parts for name in classes)]
    if twice := [name for name in classes if columns.count(name) > 1]:
        raise RunFileError(f"{where}: {twice[0]} is twice a name, of a class and of the score of a part. Rename one.")
    for part, values in {"scores": scores, **parts}.items():
        if list(values) != classes or not all(0 <= p <= 1 for p in values.values()):
            raise RunFileError(f"{where}: {part} is {dict(values)}; expected a probability for each of {classes}.")


def check_record(record: Mapping[str, Any], image_id: str) -> None:
    """Raises RunFileError, ValueError, KeyError, TypeError or AttributeError for what is no record of this image."""
    if record["format"] not in _READ:
        raise ValueError(f"format {record['format']!r}, expected one of {_READ}")
    if record["image_id"] != image_id:
        raise ValueError(f"it is about image {record['image_id']!r}")
    if not all(isinstance(record[name], str) for name in TEXTS):
        raise ValueError(f"one of {', '.join(TEXTS)} is no text")
    if not all(isinstance(record.get(name, {}), dict) for name in ("inputs", "made_by", "files")):
        raise ValueError("inputs, made_by or files are no names with values")
    _check_scores(f"image {image_id}", record["scores"], record["parts"])
