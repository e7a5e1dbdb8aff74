"""The files of a predictions folder: what inference writes and evaluation, export and the reader of a study read.

    run.json                        what was run: checkpoint hash, configuration, version, start
    predictions.csv                 scores per image, breast and exam; a class the model does not predict is empty
    errors.csv                      images that failed (io/ledger.py)
    records/<image_id>.json         scores, parts, grid, patches, notes, inputs; written last: it says that the image is done
    maps/<image_id>.npz             every map over the model window at its own resolution, float16
    maps/<image_id>_benign.png, maps/<image_id>_malignant.png
                                    the final map in the pixels of the original file, 16 bits, round(65535 * p);
                                    of the classes the model predicts
    overlays/<image_id>.png         the figure

Everything is written whole or not at all (io/atomic.py), so that a killed run goes on where it stopped.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.io.atomic import atomic_path, write_json, write_text
from mammoseg.records.breast import BreastFacts
from mammoseg.records.grid import PixelGrid
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Patch, Prediction, Scores

RECORD_FORMAT = 1
LEVELS = ("image", "breast", "exam")
PNG_SCALE = 65535
"""Value of a probability of 1 in the 16-bit PNG maps."""
_TEXTS = ("level", "patient_id", "exam_id", "image_id", "laterality", "view")
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WRONG_CONTENT = (KeyError, TypeError, AttributeError, ValueError)
_ROUNDING = 1e-3  # a probability may leave [0, 1] by what half precision loses, not by more


class RunFileError(ValueError):
    """A file of a predictions folder that is missing, damaged, or cannot be written as asked."""


def is_safe_id(image_id: str) -> bool:
    """Whether an image id can be a file name: letters, digits, `.`, `_`, `-`; at most 128 of them."""
    return _SAFE_ID.fullmatch(image_id) is not None


def record_path(folder: Path, image_id: str) -> Path:
    return folder / "records" / f"{_checked_id(image_id)}.json"


def maps_path(folder: Path, image_id: str) -> Path:
    return folder / "maps" / f"{_checked_id(image_id)}.npz"


def map_png_path(folder: Path, image_id: str, class_name: str) -> Path:
    return folder / "maps" / f"{_checked_id(image_id)}_{class_name}.png"


def overlay_path(folder: Path, image_id: str) -> Path:
    return folder / "overlays" / f"{_checked_id(image_id)}.png"


def is_done(folder: Path, image_id: str) -> bool:
    """Whether everything about this image has been written."""
    return record_path(folder, image_id).is_file()


def stored_inputs(folder: Path, image_id: str) -> dict[str, Any]:
    """`Prediction.inputs` of an image that is done. Raises RunFileError when it is not, or its record is damaged."""
    return dict(_read_record(folder, image_id).get("inputs", {}))


def predicted_ids(folder: Path) -> list[str]:
    """The images that are done, sorted."""
    return sorted(p.stem for p in (folder / "records").glob("*.json") if is_safe_id(p.stem))


def save_prediction(folder: Path, prediction: Prediction) -> None:
    """Write the maps and then the record of one image, in place of earlier ones.

    Raises RunFileError if a score or map is not a probability (a diverged model gives NaN), before anything is written.
    """
    _check_prediction(prediction)
    image_id = prediction.image_id
    record_path(folder, image_id).unlink(missing_ok=True)  # from here until the end the image is not done
    with atomic_path(maps_path(folder, image_id)) as path:
        maps: dict[str, Any] = {name: values.astype(np.float16) for name, values in prediction.maps.items()}
        np.savez_compressed(path, **maps)
    saliency = np.rint(np.clip(prediction.maps["saliency"], 0, 1) * np.float32(PNG_SCALE)).astype(np.uint16)
    for name, values in zip(prediction.scores, prediction.grid.restore(saliency), strict=True):
        with atomic_path(map_png_path(folder, image_id, name)) as path:
            path.write_bytes(cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
    write_json(record_path(folder, image_id), _record(prediction))


def load_prediction(folder: Path, image_id: str) -> Prediction:
    """Read one image back; maps come as float32 with the precision of float16.

    Raises RunFileError when the image is not done, or its files are damaged or do not fit together.
    """
    record = _read_record(folder, image_id)
    path = maps_path(folder, image_id)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            maps = {name: stored[name].astype(np.float32) for name in stored.files}
        prediction = _from_record(record, maps)
        if {name: list(values.shape) for name, values in maps.items()} != record["maps"]:
            raise ValueError("the maps have other names or shapes than the record says")
        _check_prediction(prediction)
    except (*_WRONG_CONTENT, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error
    return prediction


def write_run(folder: Path, values: Mapping[str, Any]) -> None:
    """Write run.json: plain values that say what was run."""
    write_json(folder / "run.json", dict(values))


def read_run(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises RunFileError when it is missing or damaged."""
    return _read_json(folder / "run.json", f"{folder} is not a predictions folder, or its run never began")


def remove_prediction(folder: Path, image_id: str) -> None:
    """Delete everything about one image, the record first: without it the image is not done."""
    files = [record_path(folder, image_id), maps_path(folder, image_id), overlay_path(folder, image_id)]
    for path in (*files, *(map_png_path(folder, image_id, name) for name in CLASSES)):
        path.unlink(missing_ok=True)


def clear_run(folder: Path) -> None:
    """Delete the run and its predictions, and nothing else that may lie in the folder.

    Only files of images that are done are deleted: in a folder chosen by mistake, pictures of others stay.
    """
    for image_id in predicted_ids(folder):
        remove_prediction(folder, image_id)
    for name in ("predictions.csv", "predictions_published.csv", "exam_list_manifest.csv", "errors.csv", "run.json"):
        (folder / name).unlink(missing_ok=True)


def write_predictions_csv(folder: Path) -> pd.DataFrame:
    """Collect all records into predictions.csv, sorted; the table is returned too.

    Image rows come first, then breasts, then exams. The score of a breast is the mean over its images (the rule of the
    GMIC and GLAM papers for CC and MLO), the score of an exam the maximum over its breasts; `<part>_<class>` columns
    likewise. A part some images do not have is NaN there, and left out of the mean; a class the model does not predict
    is NaN everywhere. Raises RunFileError naming a damaged record.
    """
    images = pd.DataFrame([_score_row(_read_record(folder, i)) for i in predicted_ids(folder)])
    if images.empty:
        images = pd.DataFrame(columns=[*_TEXTS, *CLASSES])
    parts = sorted({name.rpartition("_")[0] for name in map(str, images) if name not in (*_TEXTS, *CLASSES)})
    columns = [*CLASSES, *(f"{part}_{name}" for part in parts for name in CLASSES)]
    images = images.reindex(columns=[*_TEXTS, *columns])
    exam = ["patient_id", "exam_id"]
    breasts = images.groupby([*exam, "laterality"])[columns].mean().reset_index()
    exams = breasts.groupby(exam)[columns].max().reset_index()
    levels = [
        images,
        breasts.assign(level="breast", image_id="", view=""),
        exams.assign(level="exam", image_id="", view="", laterality=""),
    ]
    keys = [*exam, "laterality", "view", "image_id"]
    table = pd.concat([t.sort_values(keys) for t in levels if len(t)] or [images], ignore_index=True)
    table = table[[*_TEXTS, *columns]]
    write_text(folder / "predictions.csv", table.to_csv(index=False, lineterminator="\n"))
    return table


def read_predictions_csv(folder: Path) -> pd.DataFrame:
    """predictions.csv: ids as text (empty where a level has none), scores as float64 with NaN.

    Raises RunFileError when it is missing or not such a table.
    """
    path = folder / "predictions.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        missing = [c for c in (*_TEXTS, *CLASSES) if c not in table]
        if missing or not table["level"].isin(LEVELS).all():
            raise ValueError(f"the columns {missing} are missing" if missing else f"a level is none of {LEVELS}")
        scores = [c for c in map(str, table) if c not in _TEXTS]
        table[scores] = table[scores].replace("", "nan").astype(np.float64)
    except FileNotFoundError:
        raise RunFileError(f"{path} is missing; expected a finished run. Run mammoseg predict again.") from None
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return table


def _check_prediction(prediction: Prediction) -> None:
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
    """The scores of an image are of `CLASSES` or some of them, in that order; those of its parts are of the same ones."""
    classes = [name for name in CLASSES if name in scores]
    if not classes:
        raise RunFileError(f"{where}: scores is {dict(scores)}; expected a probability for some of {CLASSES}.")
    for part, values in {"scores": scores, **parts}.items():
        if list(values) != classes or not all(0 <= p <= 1 for p in values.values()):
            raise RunFileError(f"{where}: {part} is {dict(values)}; expected a probability for each of {classes}.")


def _record(prediction: Prediction) -> dict[str, Any]:
    return {
        "format": RECORD_FORMAT,
        **{name: getattr(prediction, name) for name in _TEXTS[1:]},
        "scores": dict(prediction.scores),
        "parts": {name: dict(scores) for name, scores in prediction.parts.items()},
        "grid": prediction.grid.to_dict(),
        "maps": {name: list(values.shape) for name, values in prediction.maps.items()},
        "patches": [{**vars(patch), "scores": dict(patch.scores)} for patch in prediction.patches],
        "patches_of": prediction.patches_of,
        "reading": list(prediction.reading),
        "facts": prediction.facts and prediction.facts.to_dict(),
        "notes": list(prediction.notes),
        "inputs": dict(prediction.inputs),
    }


def _from_record(record: dict[str, Any], maps: dict[str, NDArray[np.float32]]) -> Prediction:
    return Prediction(
        **{name: str(record[name]) for name in _TEXTS[1:]},
        scores=record["scores"],
        grid=PixelGrid.from_dict(record["grid"]),
        maps=maps,
        patches=tuple(Patch(**patch) for patch in record["patches"]),
        patches_of=record.get("patches_of", ""),
        parts=record["parts"],
        reading=tuple(record.get("reading", ())),
        facts=BreastFacts.from_dict(record["facts"]) if record.get("facts") else None,
        notes=tuple(record["notes"]),
        inputs=record.get("inputs", {}),
    )


def _score_row(record: dict[str, Any]) -> dict[str, Any]:
    row = {"level": "image", **{name: record[name] for name in _TEXTS[1:]}, **record["scores"]}
    return row | {f"{part}_{name}": p for part, scores in record["parts"].items() for name, p in scores.items()}


def _read_record(folder: Path, image_id: str) -> dict[str, Any]:
    path = record_path(folder, image_id)
    record = _read_json(path, f"image {image_id} has no prediction in {folder}")
    try:
        if record["format"] != RECORD_FORMAT:
            raise ValueError(f"format {record['format']!r}, expected {RECORD_FORMAT}")
        if record["image_id"] != image_id:
            raise ValueError(f"it is about image {record['image_id']!r}")
        _check_scores(f"image {image_id}", record["scores"], record["parts"])
    except _WRONG_CONTENT as error:
        raise _damaged(path, error) from error
    return record


def _read_json(path: Path, missing: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFileError(f"{missing}: expected {path}. Run mammoseg predict.") from None
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(values, dict):
        raise _damaged(path, "expected names with values")
    return values


def _damaged(path: Path, error: object) -> RunFileError:
    cause = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    return RunFileError(f"{path} is damaged or of another version ({cause}). Delete the record and run predict again.")


def _checked_id(image_id: str) -> str:
    if not is_safe_id(image_id):
        raise RunFileError(f"image id {image_id!r} is no file name; expected letters, digits, '.', '_' and '-'.")
    return image_id
