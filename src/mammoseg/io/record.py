"""The record of a predicted image: a Prediction as plain values and back, and what makes either one sound (io/runs.py).

format 1   says nothing of findings; they are those of its maps (records/saliency.py). May lack the names that came later
format 2   has `findings`, and `source` with the DICOM identity of the file
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter, create_model

from mammoseg.io.errors import RunFileError
from mammoseg.records.breast import BreastFacts
from mammoseg.records.finding import Finding
from mammoseg.records.grid import PixelGrid
from mammoseg.records.image import MAX_PIXELS
from mammoseg.records.prediction import Prediction, Scores

TEXTS = ("patient_id", "exam_id", "image_id", "laterality", "view")
"""What a record says in words."""
_FORMAT = 2
_ROUNDING = 1e-3  # a probability may leave [0, 1] by what half precision loses, not by more


@dataclass(frozen=True)
class FileNote:
    """Tells whether a file is the one that was written with the record."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """What the file of a record says."""

    about: Prediction
    """Without its maps."""
    shapes: Mapping[str, tuple[int, int, int]]
    """Those of the maps, by their names."""
    files: Mapping[str, FileNote]
    """Those of the maps, by their paths in the predictions folder. Empty: unknown, as in records of earlier versions."""
    old: bool
    """Whether it has format 1: without findings, and mostly without the file of the image."""


_KINDS: dict[str, Any] = get_type_hints(Prediction) | {
    "format": Literal[1, 2],
    "maps": dict[str, tuple[int, int, int]],
    "files": dict[str, FileNote],
}
_FIELDS: Any = {name: (kind, None) for name, kind in _KINDS.items()}
_Written: Any = create_model("_Written", **_FIELDS)
"""Types of what stands in the file; what is missing is found when a Prediction is made of it."""
_FACTS = TypeAdapter[BreastFacts | None](BreastFacts | None)


def note_of(content: bytes) -> FileNote:
    return FileNote(len(content), hashlib.sha256(content).hexdigest())


def record_of(prediction: Prediction, files: Mapping[str, FileNote]) -> dict[str, Any]:
    """The plain values of its record, with notes of the files of its maps."""
    record = asdict(replace(prediction, maps={}))
    if prediction.source and prediction.source.path:
        record["source"]["path"] = str(prediction.source.path)
    shapes = {name: values.shape for name, values in prediction.maps.items()}
    return {"format": _FORMAT, **record, "maps": shapes, "files": {name: asdict(note) for name, note in files.items()}}


def parse_record(text: bytes, image_id: str) -> Record:
    """What `record_of` was made from. Raises RunFileError, ValueError, KeyError or TypeError for no record of this image."""
    said = _Written.model_validate_json(text, strict=True)
    given = {name: getattr(said, name) for name in said.model_fields_set}
    old, shapes, files = given.pop("format") < _FORMAT, given.pop("maps"), given.pop("files", {})
    about = Prediction(maps={}, **given)
    if about.image_id != image_id:
        raise ValueError(f"it is about image {about.image_id!r}")
    _check_scores(about)
    return Record(about, shapes, files, old)


def facts_of(values: Mapping[str, Any] | None) -> BreastFacts | None:
    """`BreastFacts` as JSON has them. Raises ValueError for anything else."""
    return _FACTS.validate_python(values)


def check_prediction(prediction: Prediction) -> None:
    """Raises RunFileError if a score or map is not a probability (a diverged model gives NaN), one is missing, or a finding
    is of no class of the model or beside the image."""
    where = f"image {prediction.image_id}"
    _check_scores(prediction)
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


def _check_scores(prediction: Prediction) -> None:
    """The scores of an image are of at least one class, under names that can stand in those of files; those of its parts are of
    the same ones."""
    where, scores, parts = f"image {prediction.image_id}", prediction.scores, prediction.parts
    classes = list(scores)
    if not classes or not all(name.isidentifier() and name not in TEXTS for name in classes):
        raise RunFileError(f"{where}: scores is {dict(scores)}; expected a probability for each class of the model.")
    columns = [*classes, *(f"{part}_{name}" for part in parts for name in classes)]
    if twice := [name for name in classes if columns.count(name) > 1]:
        raise RunFileError(f"{where}: {twice[0]} is twice a name, of a class and of the score of a part. Rename one.")
    patches = {f"patch {number}": patch.scores for number, patch in enumerate(prediction.patches)}
    for part, values in {"scores": scores, **parts, **patches}.items():
        if list(values) != classes or not all(0 <= p <= 1 for p in values.values()):
            raise RunFileError(f"{where}: {part} is {dict(values)}; expected a probability for each of {classes}.")
