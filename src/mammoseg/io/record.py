"""The record of a predicted image: a Prediction as plain values and back, and what makes either one sound (io/runs.py)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.errors import RunFileError
from mammoseg.records.breast import BreastFacts
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Patch, Prediction, Scores
from mammoseg.records.source import Source

RECORD_FORMAT = 1
TEXTS = ("patient_id", "exam_id", "image_id", "laterality", "view")
"""What a record says in words."""
_ROUNDING = 1e-3  # a probability may leave [0, 1] by what half precision loses, not by more


def record_of(prediction: Prediction) -> dict[str, Any]:
    """The plain values of its record; the maps as their shapes."""
    return {
        "format": RECORD_FORMAT,
        **{name: getattr(prediction, name) for name in TEXTS},
        "scores": dict(prediction.scores),
        "parts": {name: dict(scores) for name, scores in prediction.parts.items()},
        "grid": prediction.grid.to_dict(),
        "maps": {name: list(values.shape) for name, values in prediction.maps.items()},
        "patches": [{**vars(patch), "scores": dict(patch.scores)} for patch in prediction.patches],
        "patches_of": prediction.patches_of,
        "reading": list(prediction.reading),
        "facts": prediction.facts and prediction.facts.to_dict(),
        "source": prediction.source and prediction.source.to_dict(),
        "notes": list(prediction.notes),
        "inputs": dict(prediction.inputs),
        "made_by": dict(prediction.made_by),
    }


def prediction_of(record: Mapping[str, Any], maps: Mapping[str, NDArray[np.float32]]) -> Prediction:
    """What `record_of` was made from. Any built-in error means a damaged record."""
    return Prediction(
        **{name: str(record[name]) for name in TEXTS},
        scores=record["scores"],
        grid=PixelGrid.from_dict(record["grid"]),
        maps=maps,
        patches=tuple(Patch(**patch) for patch in record["patches"]),
        patches_of=record.get("patches_of", ""),
        parts=record["parts"],
        reading=tuple(record.get("reading", ())),
        facts=facts_of(record),
        source=Source.from_dict(record["source"]) if record.get("source") else None,
        notes=tuple(record["notes"]),
        inputs=record.get("inputs", {}),
        made_by=record.get("made_by", {}),
    )


def facts_of(record: Mapping[str, Any]) -> BreastFacts | None:
    """`Prediction.facts`. Any built-in error means a damaged record."""
    return BreastFacts.from_dict(record["facts"]) if record.get("facts") else None


def check_prediction(prediction: Prediction) -> None:
    """Raises RunFileError if a score or map is not a probability (a diverged model gives NaN), or one is missing."""
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
    if record["format"] != RECORD_FORMAT:
        raise ValueError(f"format {record['format']!r}, expected {RECORD_FORMAT}")
    if record["image_id"] != image_id:
        raise ValueError(f"it is about image {record['image_id']!r}")
    if not all(isinstance(record[name], str) for name in TEXTS):
        raise ValueError(f"one of {', '.join(TEXTS)} is no text")
    if not all(isinstance(record.get(name, {}), dict) for name in ("inputs", "made_by", "files")):
        raise ValueError("inputs, made_by or files are no names with values")
    _check_scores(f"image {image_id}", record["scores"], record["parts"])
