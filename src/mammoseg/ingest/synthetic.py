"""Phantom exams as a study on disk: images, masks and a manifest, so that nothing has to be downloaded."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        with _mapper(workers) as mapper:
            for done, exam_rows in enumerate(mapper(_Writer(folder, config, seed), range(exams)), start=1):
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


class _Writer:
    """Writes one exam; a class, because a worker process must be able to unpickle it."""

    def __init__(self, folder: Path, config: PhantomConfig, seed: int) -> None:
        self.folder, self.config, self.seed = folder, config, seed

    def __call__(self, index: int) -> list[dict[str, Any]]:
        """The manifest rows of the exam; it is generated only if its record is not there yet."""
        patient = f"p{index:05d}"
        record = self.folder / "exams" / f"{patient}.json"
        rows: list[dict[str, Any]] | None = _read(record)
        if rows and self._all_there(rows):
            return rows
        exam = generate_exam(self.config, index, self.seed)
        rows = [self._write_image(exam, patient, name) for name in exam.images]
        write_json(record, rows)
        return rows

    def _all_there(self, rows: list[dict[str, Any]]) -> bool:
        """Whether all files of a record are; no, if it is damaged."""
        try:
            return all((self.folder / path).is_file() for row in rows for path in _paths(row))
        except (TypeError, KeyError):
            return False

    def _write_image(self, exam: PhantomExam, patient: str, name: str) -> dict[str, Any]:
        image = exam.images[name]
        image_id = f"{patient}_{name}"
        row: dict[str, Any] = {
            "patient_id": patient,
            "exam_id": f"{patient}_e0",
            "image_id": image_id,
            "laterality": image.laterality,
            "view": image.view,
            "path": f"images/{image_id}.png",
            **exam.labels[image.laterality],
        }
        _write_png(self.folder / row["path"], image.pixels)
        for label, mask in zip(CLASSES, (image.benign_mask, image.malignant_mask), strict=True):
            row[f"{label}_mask"] = f"masks/{image_id}_{label}.png" if exam.labels[image.laterality][label] else ""
            if row[f"{label}_mask"]:
                _write_png(self.folder / row[f"{label}_mask"], mask.astype(np.uint8) * 255)
        lesions = exam.lesions[image.laterality]
        row |= {
            "pixel_mm": self.config.pixel_mm,
            "horizontal_flip": "NO",
            "density": exam.density,
            "lesion_kind": ";".join(f"{x.label} {x.kind}" for x in lesions),
        }
        return row


def _read(path: Path) -> Any:
    """What the file holds; None if there is none, or it is damaged."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def _paths(row: dict[str, Any]) -> list[str]:
    return [path for path in (row["path"], *(row[f"{c}_mask"] for c in CLASSES)) if path]


def _write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    with atomic_path(path) as temporary:
        if not cv2.imwrite(str(temporary), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3]):
            raise OSError(f"{path}: OpenCV could not write this PNG file")


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Note the settings in a new folder; refuse a folder of other settings."""
    note = folder / SETTINGS
    if not note.exists():
        if there := [name for name in (MANIFEST, "exams") if (folder / name).exists()]:
            raise StudyExistsError(
                f"{folder} has {' and '.join(there)} but no {SETTINGS}: written by another program, or by an unknown seed. "
                "Expected a new folder, or phantoms and their settings. Choose another folder"
            )
        write_json(note, settings)
        return
    found = _read(note)
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise StudyExistsError(
            f"{note} is damaged: seed and settings of the phantoms in its folder are unknown. Expected what `phantom` has "
            "written. Choose another folder, or --overwrite to discard them"
        )
    if found != settings:
        before, after = ({"seed": s.get("seed"), **s["config"]} for s in (found, settings))
        changed = [
            f"{k} {before.get(k)} (asked for: {after.get(k)})"
            for k in sorted(before.keys() | after.keys())
            if before.get(k) != after.get(k)
        ]
        raise StudyExistsError(
            f"{folder} holds phantoms of other settings: {', '.join(changed)}; choose another folder or the same "
            "settings, or --overwrite to discard them"
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


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterator[list[dict[str, Any]]]]]:
    if workers == 1:
        yield map
        return
    with worker_pool(workers) as pool:
        yield pool.map
