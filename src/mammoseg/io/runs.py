"""The files of a predictions folder: what inference writes and evaluation, export and the reader of a study read.

    run.json                        what was run: checkpoint hash, configuration, version, start
    predictions.csv                 scores per image, breast and exam; a class the model does not predict is empty
    calibration.json                how scores of breasts become the probabilities of the table (io/calibration.py), if they do
    errors.csv                      images that failed (io/failures.py)
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
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import TypeAdapter

from mammoseg.bounded import read_bounded
from mammoseg.io.atomic import atomic_path, plain, write_json
from mammoseg.io.calibration import FILE as CALIBRATION
from mammoseg.io.errors import RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.figures import FIGURE_KINDS, FigureKind
from mammoseg.io.npz import MOST_BYTES, npz_bytes, read_npz
from mammoseg.io.record import Record, check_prediction, note_of, parse_record, record_of
from mammoseg.records.breast import BreastFacts
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Prediction
from mammoseg.records.saliency import findings_of

PNG_SCALE = 65535
"""Value of a probability of 1 in the 16-bit PNG maps."""
TABLES = ("predictions.csv", "predictions_published.csv")
_REPEATED_ROWS = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
"""The cells of a map are many rows high: what differs from the row above is nearly nothing. A third of the time of other ways."""
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SETTINGS = TypeAdapter(dict[str, Any])
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


def record_state(folder: Path, image_id: str) -> int | None:
    """What changes with every writing of the record of an image; None: it has none."""
    try:
        return record_path(folder, image_id).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def is_whole(folder: Path, record: Record) -> bool:
    """Whether the maps of an image are there, at the sizes they were written with."""
    sizes = {folder / name: note.bytes for name, note in record.files.items()}
    return bool(sizes) and all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())


def stored_facts(folder: Path, image_id: str) -> BreastFacts | None:
    """What was measured on the breast of an image that is done; None: not known. Raises like `read_record`."""
    return read_record(folder, image_id).about.facts


def predicted_ids(folder: Path) -> list[str]:
    """The images that are done, sorted."""
    return sorted(p.stem for p in (folder / "records").glob("*.json") if is_safe_id(p.stem))


def predicted_classes(folder: Path) -> tuple[str, ...]:
    """The classes of the model whose predictions these are, as the first record that can be read says; CLASSES without one."""
    for image_id in predicted_ids(folder):
        with contextlib.suppress(RunFileError):
            return tuple(read_record(folder, image_id).about.scores)
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
        png = cv2.imencode(".png", values, _REPEATED_ROWS)[1].tobytes()
        written[map_png_path(folder, image_id, name)] = png
    for path, content in written.items():
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    files = {path.relative_to(folder).as_posix(): note_of(content) for path, content in written.items()}
    write_json(record_path(folder, image_id), record_of(prediction, files))


def load_prediction(folder: Path, image_id: str) -> Prediction:
    """Read one image back; maps come as float32 with the precision of float16, findings of earlier versions from them.

    Raises RunFileError when the image is not done, or its files are damaged or do not fit together.
    """
    record, path = read_record(folder, image_id), maps_path(folder, image_id)
    try:
        content = read_bounded(path, MOST_BYTES)
        note = record.files.get(f"maps/{path.name}")
        if note not in (None, note_of(content)):
            raise ValueError("it is not the file that was written with the record")
        maps = {name: values.astype(np.float32) for name, values in read_npz(content, record.shapes).items()}
        prediction = replace(record.about, maps=maps)
        check_prediction(prediction)
        return replace(prediction, findings=findings_of(prediction)) if record.old else prediction
    except (*_WRONG_CONTENT, OSError, EOFError, ArithmeticError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def write_run(folder: Path, values: Mapping[str, Any]) -> None:
    """Write run.json: plain values that say what was run."""
    write_json(folder / "run.json", dict(values))


def read_run(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises RunFileError when it is missing or damaged."""
    path = folder / "run.json"
    with _telling(path, f"{folder} is not a predictions folder, or its run never began"):
        return _SETTINGS.validate_json(read_bounded(path))


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
        classes |= {*read_record(folder, image_id).about.scores}
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
    Failures(folder).clear()
    for name in (
        "exam_list_manifest.csv",
        "left_out.csv",
        CALIBRATION,
        "run.json",
    ):  # last, since it says whose the records are
        (folder / name).unlink(missing_ok=True)


def forget_tables(folder: Path) -> None:
    """Delete the tables of scores: while records change, none may stand there that says something else."""
    for name in TABLES:
        (folder / name).unlink(missing_ok=True)


def read_record(folder: Path, image_id: str) -> Record:
    """What is known of an image without its maps. Raises RunFileError when it is not done, or its record is damaged."""
    path = record_path(folder, image_id)
    with _telling(path, f"image {image_id} has no prediction in {folder}"):
        return parse_record(read_bounded(path), image_id)


@contextlib.contextmanager
def _telling(path: Path, missing: str) -> Iterator[None]:
    """Whatever is wrong with a file that is read in this block becomes a RunFileError."""
    try:
        yield
    except FileNotFoundError:
        raise RunFileError(f"{missing}: expected {path}. Run mammoseg predict.") from None
    except (OSError, *_WRONG_CONTENT) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> RunFileError:
    return RunFileError(
        f"{path} is damaged or of another version ({type(error).__name__}: {error}). Delete the image's record, or this file if it "
        "is run.json, and run predict again."
    )


def _checked_id(image_id: str) -> str:
    if not is_safe_id(image_id):
        raise RunFileError(f"image id {image_id!r} is no file name; expected letters, digits, '.', '_' and '-'.")
    return image_id
