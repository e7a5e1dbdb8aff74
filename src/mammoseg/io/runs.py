"""The files of a predictions folder: what inference writes and evaluation, export and the reader of a study read.

    run.json                        what was run: checkpoint hash, configuration, version, start
    predictions.csv                 scores per image, breast and exam; a class the model does not predict is empty
    errors.csv                      images that failed (io/ledger.py)
    records/<image_id>.json         all but the maps (io/record.py), and size and hash of their files; written last: the image
                                    is done
    maps/<image_id>.npz             every map over the model window at its own resolution, float16
    maps/<image_id>_benign.png, maps/<image_id>_malignant.png
                                    the final map in the pixels of the original file, 16 bits, round(65535 * p);
                                    of the classes the model predicts
    overlays/<image_id>.png         the figure; or .pdf, .svg

Everything is written whole or not at all (io/atomic.py), so that a killed run goes on where it stopped. The records are the
truth: tables (io/scores_table.py) are deleted before a record changes, and every record names the model it is from.
"""

import contextlib
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammoseg.bounded import read_bounded, read_json
from mammoseg.io.atomic import atomic_path, plain, write_json
from mammoseg.io.errors import RunFileError
from mammoseg.io.figures import FIGURE_KINDS, FigureKind
from mammoseg.io.npz import MOST_BYTES, npz_bytes, read_npz
from mammoseg.io.record import RECORD_FORMAT, check_prediction, check_record, facts_of, prediction_of, record_of
from mammoseg.records.breast import BreastFacts
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

PNG_SCALE = 65535
"""Value of a probability of 1 in the 16-bit PNG maps."""
TABLES = ("predictions.csv", "predictions_published.csv")
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WRONG_CONTENT = (KeyError, TypeError, AttributeError, ValueError)


def is_safe_id(image_id: str) -> bool:
    """Whether an image id can be a file name: letters, digits, `.`, `_`, `-`; at most 128 of them."""
    return _SAFE_ID.fullmatch(image_id) is not None


def record_path(folder: Path, image_id: str) -> Path:
    return folder / "records" / f"{_checked_id(image_id)}.json"


def maps_path(folder: Path, image_id: str) -> Path:
    return folder / "maps" / f"{_checked_id(image_id)}.npz"


def map_png_path(folder: Path, image_id: str, class_name: str) -> Path:
    return folder / "maps" / f"{_checked_id(image_id)}_{class_name}.png"


def overlay_path(folder: Path, image_id: str, kind: FigureKind = "png") -> Path:
    return folder / "overlays" / f"{_checked_id(image_id)}.{kind}"


def is_done(folder: Path, image_id: str) -> bool:
    """Whether everything about this image has been written."""
    return record_path(folder, image_id).is_file()


@dataclass(frozen=True)
class Stored:
    """What tells whether a prediction is still the one that is wanted."""

    inputs: Mapping[str, Any]
    made_by: Mapping[str, str]
    """Both as in `Prediction`."""
    whole: bool
    """Whether its maps are there, at the sizes they were written with."""
    old: bool
    """Whether it has an earlier format, without findings and mostly without the file of the image."""


def stored(folder: Path, image_id: str) -> Stored:
    """About an image that is done, without reading its maps. Raises RunFileError when it is not, or its record is damaged."""
    record = read_record(folder, image_id)
    try:
        sizes = {folder / name: about["bytes"] for name, about in record.get("files", {}).items()}
        whole = bool(sizes) and all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())
        old = record["format"] < RECORD_FORMAT
        return Stored(dict(record.get("inputs", {})), dict(record.get("made_by", {})), whole, old)
    except _WRONG_CONTENT as error:
        raise _damaged(record_path(folder, image_id), error) from error


def stored_facts(folder: Path, image_id: str) -> BreastFacts | None:
    """What was measured on the breast of an image that is done; None: not known. Raises like `stored`."""
    try:
        return facts_of(read_record(folder, image_id))
    except _WRONG_CONTENT as error:
        raise _damaged(record_path(folder, image_id), error) from error


def predicted_ids(folder: Path) -> list[str]:
    """The images that are done, sorted."""
    return sorted(p.stem for p in (folder / "records").glob("*.json") if is_safe_id(p.stem))


def predicted_classes(folder: Path) -> tuple[str, ...]:
    """The classes of the model whose predictions these are, as the first record that can be read says; CLASSES without one."""
    for image_id in predicted_ids(folder):
        with contextlib.suppress(RunFileError):
            return tuple(read_record(folder, image_id)["scores"])
    return CLASSES


def save_prediction(folder: Path, prediction: Prediction) -> None:
    """Write the maps and then the record of one image, in place of earlier ones.

    Raises RunFileError if a score or map is not a probability (a diverged model gives NaN), before anything is written.
    """
    check_prediction(prediction)
    image_id = prediction.image_id
    forget_tables(folder)
    record_path(folder, image_id).unlink(missing_ok=True)  # from here until the end the image is not done
    written = {maps_path(folder, image_id): npz_bytes(prediction.maps)}
    saliency = np.rint(np.clip(prediction.maps["saliency"], 0, 1) * np.float32(PNG_SCALE)).astype(np.uint16)
    for name, values in zip(prediction.scores, prediction.grid.restore(saliency), strict=True):
        png = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
        written[map_png_path(folder, image_id, name)] = png
    for path, content in written.items():
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    files = {path.relative_to(folder).as_posix(): _noted(content) for path, content in written.items()}
    write_json(record_path(folder, image_id), {**record_of(prediction), "files": files})


def load_prediction(folder: Path, image_id: str) -> Prediction:
    """Read one image back; maps come as float32 with the precision of float16, findings of earlier versions from them.

    Raises RunFileError when the image is not done, or its files are damaged or do not fit together.
    """
    record = read_record(folder, image_id)
    path = maps_path(folder, image_id)
    try:
        prediction = prediction_of(record, _read_maps(path, record))
        check_prediction(prediction)
        return replace(prediction, findings=findings_of(prediction)) if record["format"] == 1 else prediction
    except (*_WRONG_CONTENT, OSError, EOFError, ArithmeticError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def _noted(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _read_maps(path: Path, record: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """The maps of a record, which were written with it (those of earlier versions: as far as their names and shapes tell)."""
    content = read_bounded(path, MOST_BYTES)
    noted = record.get("files", {}).get(f"maps/{path.name}")
    if noted is not None and noted != _noted(content):
        raise ValueError("it is not the file that was written with the record")
    maps = read_npz(content, record["maps"])
    return {name: values.astype(np.float32) for name, values in maps.items()}


def write_run(folder: Path, values: Mapping[str, Any]) -> None:
    """Write run.json: plain values that say what was run."""
    write_json(folder / "run.json", dict(values))


def read_run(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises RunFileError when it is missing or damaged."""
    return _read_json(folder / "run.json", f"{folder} is not a predictions folder, or its run never began")


def made_by(settings: Mapping[str, Any]) -> dict[str, str]:
    """What run.json says, apart from the version of mammoseg, as `Prediction.made_by`."""
    decisive = plain({name: value for name, value in settings.items() if name != "mammoseg"})
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return {"checkpoint_sha256": str(settings.get("checkpoint_sha256")), "settings_sha256": digest}


def remove_prediction(folder: Path, image_id: str) -> None:
    """Delete everything about one image, the record first: without it the image is not done."""
    forget_tables(folder)
    classes = {*CLASSES}  # whatever the record says: an earlier one of another model may have left them
    with contextlib.suppress(RunFileError):
        classes |= {*read_record(folder, image_id)["scores"]}
    files = [record_path(folder, image_id), maps_path(folder, image_id)]
    files += [overlay_path(folder, image_id, kind) for kind in FIGURE_KINDS]
    for path in (*files, *(map_png_path(folder, image_id, name) for name in classes)):
        path.unlink(missing_ok=True)


def clear_run(folder: Path) -> None:
    """Delete the run and its predictions, and nothing else that may lie in the folder.

    Only files of images that are done are deleted: in a folder chosen by mistake, pictures of others stay.
    """
    forget_tables(folder)
    for image_id in predicted_ids(folder):
        remove_prediction(folder, image_id)
    for name in ("exam_list_manifest.csv", "errors.csv", "run.json"):  # run.json last: it says whose the records are
        (folder / name).unlink(missing_ok=True)


def forget_tables(folder: Path) -> None:
    """Delete the tables of scores: while records change, none may stand there that says something else."""
    for name in TABLES:
        (folder / name).unlink(missing_ok=True)


def read_record(folder: Path, image_id: str) -> dict[str, Any]:
    """The record of an image as it stands in its file. Raises RunFileError when there is none, or it is damaged."""
    path = record_path(folder, image_id)
    record = _read_json(path, f"image {image_id} has no prediction in {folder}")
    try:
        check_record(record, image_id)
    except _WRONG_CONTENT as error:
        raise _damaged(path, error) from error
    return record


def _read_json(path: Path, missing: str) -> dict[str, Any]:
    try:
        values = read_json(path)
    except FileNotFoundError:
        raise RunFileError(f"{missing}: expected {path}. Run mammoseg predict.") from None
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(values, dict):
        raise _damaged(path, "expected names with values")
    return values


def _damaged(path: Path, error: object) -> RunFileError:
    cause = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    return RunFileError(
        f"{path} is damaged or of another version ({cause}). Delete the image's record, or this file if it "
        "is run.json, and run predict again."
    )


def _checked_id(image_id: str) -> str:
    if not is_safe_id(image_id):
        raise RunFileError(f"image id {image_id!r} is no file name; expected letters, digits, '.', '_' and '-'.")
    return image_id
