"""Phantom exams as a study on disk: images, masks and a manifest, so that nothing has to be downloaded."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.bounded import read_json
from mammoseg.io.atomic import atomic_path, write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.outputs import writing_to
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.exam import PhantomExam, generate_exam
from mammoseg.processes import worker_pool
from mammoseg.records.label import CLASSES

MANIFEST = "manifest.csv"
SETTINGS = "phantom.json"
PARTS = ("images", "masks", "exams")
_MASKS = tuple(f"{name}_mask" for name in CLASSES)
Splits = tuple[float, float, float]


class StudyExistsError(ValueError):
    """The folder holds phantoms of other settings."""


def write_study(
    folder: Path,
    exams: int,
    config: PhantomConfig,
    seed: int,
    splits: Splits | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write `exams` phantom exams, one per patient, and return the path of the manifest, which is written last.

    In `folder`: images/<image_id>.png (16 bit), masks/<image_id>_<class>.png (8 bit, 0 or 255; only of lesions that
    are there), exams/<patient_id>.json (the manifest rows of a finished exam), phantom.json (the settings) and
    manifest.csv. `splits` are the shares of train, val and test; None leaves the column empty. `progress` is called
    with the number of exams done.

    Calling it again continues an interrupted run: exams whose files are all there are kept. With more exams it adds to
    them, because exam i depends on the seed and i only. Raises StudyExistsError (a ValueError) if the folder was
    written with another configuration or seed, ValueError for impossible arguments, and as `writing_to` does.
    """
    if exams < 1 or workers < 1 or seed < 0:
        raise ValueError(f"write_study: exams {exams}, workers {workers}, seed {seed}; expected >= 1, >= 1 and >= 0")
    folder = Path(folder)
    names = _split_names(exams, splits, seed)
    manifest = folder / MANIFEST
    with writing_to(folder, *PARTS) as held:
        _claim(folder, {"seed": seed, "config": config.model_dump(mode="json")})
        for part in PARTS:
            (folder / part).mkdir(exist_ok=True)
        rows: list[dict[str, Any]] = []
        with worker_pool(workers) if workers > 1 else nullcontext() as pool:
            written = (pool.map if pool else map)(partial(_write_exam, folder, config, seed), range(exams))
            for done, exam_rows in enumerate(written, start=1):
                held.check()
                rows.extend({**row, "split": names[done - 1]} for row in exam_rows)
                if progress is not None:
                    progress(done)
        write_csv(manifest, pd.DataFrame(rows))
    return manifest


def clear_study(folder: Path) -> None:
    """Delete the phantoms of a folder that `write_study` has written to, and nothing else that lies there."""
    if not (folder / SETTINGS).is_file():
        return
    with writing_to(folder):
        for part in PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
        for name in (MANIFEST, SETTINGS):
            (folder / name).unlink(missing_ok=True)


def _write_exam(folder: Path, config: PhantomConfig, seed: int, index: int) -> list[dict[str, Any]]:
    """The manifest rows of the exam; it is generated only if its record is not there yet."""
    patient = f"p{index:05d}"
    record = folder / "exams" / f"{patient}.json"
    rows: list[dict[str, Any]] | None = _read(record)
    if rows and _all_there(folder, rows):
        return rows
    exam = generate_exam(config, index, seed)
    rows = [_write_image(folder, exam, patient, name) | {"pixel_mm": config.pixel_mm} for name in exam.images]
    write_json(record, rows)
    return rows


def _all_there(folder: Path, rows: list[dict[str, Any]]) -> bool:
    """Whether all files of a record are; no, if it is damaged."""
    try:
        return all((folder / row[name]).is_file() for row in rows for name in ("path", *_MASKS) if row[name])
    except (TypeError, KeyError):
        return False


def _write_image(folder: Path, exam: PhantomExam, patient: str, name: str) -> dict[str, Any]:
    image = exam.images[name]
    image_id, labels = f"{patient}_{name}", exam.labels[image.laterality]
    row: dict[str, Any] = {
        "patient_id": patient,
        "exam_id": f"{patient}_e0",
        "image_id": image_id,
        "laterality": image.laterality,
        "view": image.view,
        "path": f"images/{image_id}.png",
        **labels,
    }
    _write_png(folder / row["path"], image.pixels)
    for label, mask in zip(CLASSES, (image.benign_mask, image.malignant_mask), strict=True):
        row[f"{label}_mask"] = f"masks/{image_id}_{label}.png" if labels[label] else ""
        if labels[label]:
            _write_png(folder / row[f"{label}_mask"], mask.astype(np.uint8) * 255)
    kinds = ";".join(f"{lesion.label} {lesion.kind}" for lesion in exam.lesions[image.laterality])
    return {**row, "horizontal_flip": "NO", "density": exam.density, "lesion_kind": kinds}


def _read(path: Path) -> Any:
    """What the file holds; None if there is none, or it is damaged."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def _write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    with atomic_path(path) as temporary:
        if not cv2.imwrite(str(temporary), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3]):
            raise OSError(f"{path}: OpenCV could not write this PNG file")


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Note the settings in a new folder; refuse a folder of other settings."""
    note = folder / SETTINGS
    if not any((folder / name).exists() for name in (SETTINGS, MANIFEST, "exams")):
        write_json(note, settings)
        return
    found = _read(note)
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise StudyExistsError(
            f"{note} is missing or damaged, and there is a study in its folder: its seed and settings are unknown. Expected a new "
            "folder, or what `phantom` has written. Choose another folder, or --overwrite to discard phantoms"
        )
    before, after = ({"seed": s.get("seed"), **s["config"]} for s in (found, settings))
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    if names:
        changed = ", ".join(f"{name} {before.get(name)} (asked for: {after.get(name)})" for name in names)
        raise StudyExistsError(
            f"{folder} holds phantoms of other settings: {changed}; choose another folder or the same settings, or --overwrite to "
            "discard them"
        )


def _split_names(exams: int, splits: Splits | None, seed: int) -> list[str]:
    """A split for each exam. Steps of the golden ratio through the shares keep the counts near them for any number of
    exams, and give an exam the same split when more are added."""
    if splits is None:
        return [""] * exams
    if min(splits) < 0 or abs(sum(splits) - 1) > 1e-6:
        raise ValueError(f"splits are {splits}; expected shares of train, val and test that sum to 1")
    start = np.random.default_rng(seed).uniform()
    steps = (start + np.arange(exams) * (np.sqrt(5) - 1) / 2) % 1
    index = np.searchsorted(np.cumsum(splits)[:2], steps, side="right")
    return [("train", "val", "test")[i] for i in index]
