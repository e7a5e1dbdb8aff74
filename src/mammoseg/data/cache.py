"""Prepared breast crops on disk, so that an image is read and cut out once and not in every epoch.

A crop is found by the content of its files, the preparation (PrepConfig and version of this package) and what the
manifest says about the image, so that a changed file or setting never meets an old crop, nor a model that sees heatmaps
a crop without them. Files are uncompressed: a crop
is read in some milliseconds. Any number of processes may share a folder.
"""

import hashlib
import json
import logging
import multiprocessing
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mammoseg import __version__
from mammoseg.data.heatmaps import heatmap_files, with_heatmaps
from mammoseg.data.manifest import ImageRow
from mammoseg.io.atomic import atomic_path, write_json
from mammoseg.io.ledger import Ledger
from mammoseg.io.read import ImageReadError, read_pixels
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast

logger = logging.getLogger(__name__)

STEP = "prepare"
"""The step named in the error ledger."""
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)


class CacheWriteError(OSError):
    """Crops cannot be stored (disk full, no permission): no image after this one could be either."""


class PreparationError(ValueError):
    """The worker processes ended; most likely the memory did not suffice."""


class CropCache:
    """The crops of one preparation below `folder`, which is made when needed and may be deleted at any time."""

    def __init__(self, folder: Path, prep: PrepConfig, heatmaps: bool = False) -> None:
        """`heatmaps`: the crops carry those of their rows, which must have them."""
        self.folder = folder
        self.prep = prep
        self.heatmaps = heatmaps
        self._hashes: dict[tuple[str, int, int], str] = {}

    def get(self, row: ImageRow) -> BreastCrop:
        """The crop of an image: from the disk, or made and stored. A damaged file is made again.

        Raises ImageReadError, HeatmapError, PrepError, or CacheWriteError.
        """
        path = self._path(row)
        if path.exists():
            try:
                return replace(_load(path, self.heatmaps), image_id=row.image_id)
            except _DAMAGE as error:
                logger.warning("%s: damaged crop of image %s is made again (%s)", path, row.image_id, error)
        image = row.mammogram(read_pixels(row.path))
        crop = crop_breast(with_heatmaps(image, row) if self.heatmaps else image, self.prep)
        try:
            _store(path, crop)
        except OSError as error:
            raise self._write_error(error) from error
        return crop

    def ensure(self, row: ImageRow) -> None:
        """Make and store the crop unless it is there. Raises like `get`."""
        if not self._path(row).exists():
            self.get(row)

    def _path(self, row: ImageRow) -> Path:
        about = (row.laterality, row.view, row.pixel_mm, row.horizontal_flip)
        prep = self.prep.model_dump(mode="json")
        files = [row.path, *(heatmap_files(row) if self.heatmaps else ())]
        key = json.dumps([__version__, [self._content_hash(path) for path in files], prep, about], sort_keys=True)
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.folder / name[:2] / f"{name}.npz"

    def _content_hash(self, path: Path) -> str:
        """SHA-256 of a file; remembered on disk until its size or time of change is another."""
        try:
            stat = path.stat()
            known = (str(path), stat.st_size, stat.st_mtime_ns)
            if known not in self._hashes:
                self._hashes[known] = self._remembered_hash(path, known)
        except CacheWriteError:
            raise
        except OSError as error:
            raise ImageReadError(
                f"{path}: the image cannot be read ({error.strerror}). Expected a readable image file. Check the path."
            ) from None
        return self._hashes[known]

    def _remembered_hash(self, path: Path, known: tuple[str, int, int]) -> str:
        note = self.folder / "hashes" / f"{hashlib.sha256(known[0].encode()).hexdigest()[:32]}.json"
        try:
            *remembered, digest = json.loads(note.read_text(encoding="utf-8"))
            if tuple(remembered) == known and isinstance(digest, str):
                return digest
        except (OSError, ValueError, TypeError):
            pass  # not there or damaged: written below
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            write_json(note, [*known, digest])
        except OSError as error:
            raise self._write_error(error) from error
        return digest

    def _write_error(self, error: OSError) -> CacheWriteError:
        return CacheWriteError(
            error.errno,
            f"{self.folder}: a prepared image cannot be written ({error.strerror}). Expected a writable folder with "
            "about 10 MB an image. Free space or choose another folder, and run again: finished images are kept",
        )


def prepare_all(
    rows: Sequence[ImageRow],
    cache: CropCache,
    workers: int,
    ledger: Ledger,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Fill the cache in `workers` processes (0 or 1: in this one); returns the ids of usable images, in order.

    An image that fails is noted in the ledger and left out. `progress` is called with (done, all) after each image.
    Raises CacheWriteError when crops cannot be stored, PreparationError when the processes died; both leave what is
    finished, and nothing half-written.
    """
    usable = []
    try:
        for done, (row, error) in enumerate(zip(rows, _errors(rows, cache, workers), strict=True), start=1):
            if error is None:
                ledger.remove(row.image_id, STEP)
                usable.append(row.image_id)
            else:
                ledger.add(row.image_id, row.path, STEP, error)
                logger.warning("image %s cannot be prepared: %s", row.image_id, type(error).__name__)
            if progress is not None:
                progress(done, len(rows))
    except BrokenProcessPool:
        raise PreparationError(
            f"{cache.folder}: the processes preparing images have ended early, {len(usable)} of {len(rows)} images "
            "are done. Most likely the memory did not suffice: run again with fewer workers."
        ) from None
    return usable


def _errors(rows: Sequence[ImageRow], cache: CropCache, workers: int) -> Iterator[Exception | None]:
    work = partial(_try_one, cache)
    if workers <= 1:
        yield from map(work, rows)
        return
    # New processes, not forked ones: torch and OpenCV may already have threads here, and a fork of those can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(work, rows)


def _try_one(cache: CropCache, row: ImageRow) -> Exception | None:
    try:
        cache.ensure(row)
    except CacheWriteError:
        raise
    except ValueError as error:
        return error
    except Exception as error:  # one image must not end a long run; the ledger keeps it
        return RuntimeError(f"{type(error).__name__}: {error}")
    return None


def _store(path: Path, crop: BreastCrop) -> None:
    arrays: dict[str, Any] = {"pixels": crop.pixels}
    if crop.heatmaps is not None:
        arrays["heatmaps"] = crop.heatmaps
    about = {f.name: getattr(crop, f.name) for f in fields(crop) if f.name not in ("pixels", "heatmaps")}
    with atomic_path(path) as temporary:
        np.savez(temporary, about=np.array(json.dumps(about)), **arrays)


def _load(path: Path, heatmaps: bool) -> BreastCrop:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        about = {name: _tuples(value) for name, value in json.loads(str(stored["about"])).items()}
        return BreastCrop(pixels=stored["pixels"], heatmaps=stored["heatmaps"] if heatmaps else None, **about)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
