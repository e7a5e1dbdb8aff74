"""Prepared breast crops on disk, so that an image is read and cut out once and not in every epoch.

A crop is found by the content of its files, the preparation (PrepConfig, version and source code) and what the manifest
says about the image, so that a changed file, setting or program never meets an old crop, nor a model that sees heatmaps
a crop without them. The content of a file is read once: its hash is kept beside the crops until the file's size or
times change. Any number of processes may share a folder and may be killed: every file is written whole or not at all,
and a damaged one is made again.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from mammoseg import __version__
from mammoseg.bounded import read_json
from mammoseg.data.cropfile import CropFileError, read_crop, read_facts, write_crop
from mammoseg.data.load import heatmap_files, with_heatmaps
from mammoseg.data.manifest import ImageRow
from mammoseg.io.atomic import remove_leftovers, write_json
from mammoseg.io.failures import Failures
from mammoseg.io.read import ImageReadError, read_pixels
from mammoseg.io.regular import content_hash
from mammoseg.io.repeats import Repeats
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import crop_breast
from mammoseg.processes import worker_pool
from mammoseg.records.breast import BreastFacts

logger = logging.getLogger(__name__)

STEP = "prepare"
"""The step named for a failure."""
_PACKAGE = Path(__file__).parents[1]
_SOURCES = ("prep/*.py", "io/read.py", "io/dicom/*.py", "data/load.py", "data/cache.py", "data/cropfile.py")
"""The program that turns files into crops."""


_FileState = tuple[str, int, int, int]  # path, size in bytes, times of change of content and of inode in ns


class CacheWriteError(OSError):
    """Crops cannot be stored (disk full, no permission): no image after this one could be either."""


class PreparationError(ValueError):
    """The worker processes ended; most likely the memory did not suffice."""


class CropCache:
    """The crops of one preparation below `folder`, which is made when needed and may be deleted at any time."""

    def __init__(self, folder: Path, prep: PrepConfig, heatmaps: Sequence[str] = ()) -> None:
        """`heatmaps`: the crops carry those of these classes, which every row must have."""
        self.folder = folder
        self.prep = prep
        self.heatmaps = heatmaps
        self._code = _code_hash()
        self._hashes: dict[_FileState, str] = {}

    def get(self, row: ImageRow) -> BreastCrop:
        """The crop of an image: from the disk, or made and stored. A damaged file is made again.

        Raises ImageReadError, HeatmapError, PrepError, or CacheWriteError.
        """
        path = self._path(row)
        if path.exists():
            try:
                return replace(read_crop(path, bool(self.heatmaps)), image_id=row.image_id)
            except CropFileError as error:
                logger.warning("damaged crop of image %s is made again: %s", row.image_id, error)
        image = row.mammogram(read_pixels(row.path, self.prep.dicom))
        crop = crop_breast(with_heatmaps(image, row, self.heatmaps) if self.heatmaps else image, self.prep)
        if self._path(row) == path:  # else a file was changed while it was read
            try:
                write_crop(path, crop)
            except OSError as error:
                raise self._write_error(error) from error
        return crop

    def facts(self, row: ImageRow) -> BreastFacts | None:
        """`BreastCrop.facts` of an image, without its pixels if the crop is there. Raises like `get`."""
        path = self._path(row)
        if path.exists():
            with suppress(CropFileError):
                return read_facts(path)
        return self.get(row).facts

    def ensure(self, row: ImageRow) -> None:
        """Make and store the crop unless it is there. Raises like `get`."""
        if not self._path(row).exists():
            self.get(row)

    def has(self, row: ImageRow) -> bool:
        """Whether the crop is there, as far as that is known without reading an image: its hash must be noted."""
        try:
            digests = [self._noted_hash(_state(path)) for path in self._files(row)]
        except (OSError, ValueError):
            return False
        return None not in digests and self._crop_file(row, digests).exists()

    def tidy(self) -> None:
        """Delete the temporary files of killed processes."""
        for folder in self.folder.glob("*/"):
            remove_leftovers(folder)

    def _path(self, row: ImageRow) -> Path:
        return self._crop_file(row, [self._content_hash(path) for path in self._files(row)])

    def _files(self, row: ImageRow) -> list[Path]:
        return [row.path, *heatmap_files(row, self.heatmaps)]

    def _crop_file(self, row: ImageRow, digests: Sequence[str | None]) -> Path:
        about = (row.laterality, row.view, row.pixel_mm, row.horizontal_flip)
        prep = self.prep.model_dump(mode="json")
        key = json.dumps([__version__, self._code, digests, prep, about], sort_keys=True)
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self.folder / name[:2] / f"{name}.npz"

    def _content_hash(self, path: Path) -> str:
        """SHA-256 of a file; noted on disk until its size or a time is another."""
        try:
            state = _state(path)
            digest = self._noted_hash(state)
            if digest is not None:
                return digest
            digest = content_hash(path)
        except OSError as error:
            raise ImageReadError(
                f"{path}: the image cannot be read ({error.strerror}). Expected a readable image file. Check the path."
            ) from None
        try:
            write_json(self._note(state), [*state, digest])
        except OSError as error:
            raise self._write_error(error) from error
        self._hashes[state] = digest
        return digest

    def _noted_hash(self, state: _FileState) -> str | None:
        if state not in self._hashes:
            try:
                *noted, digest = read_json(self._note(state))
            except (OSError, ValueError, TypeError):
                return None  # not there or damaged
            if tuple(noted) != state or not isinstance(digest, str):
                return None
            self._hashes[state] = digest
        return self._hashes[state]

    def _note(self, state: _FileState) -> Path:
        return self.folder / "hashes" / f"{hashlib.sha256(state[0].encode()).hexdigest()[:32]}.json"

    def _write_error(self, error: OSError) -> CacheWriteError:
        return CacheWriteError(
            error.errno,
            f"{self.folder}: a prepared image cannot be written ({error.strerror}). Expected a writable folder with "
            "about 4 MB an image. Free space or choose another folder, and run again: finished images are kept",
        )


def prepare_all(
    rows: Sequence[ImageRow],
    cache: CropCache,
    workers: int,
    failures: Failures,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Fill the cache in `workers` processes (0 or 1: in this one); returns the ids of usable images, in order.

    No process is started for what is in the cache already, nor for a single image.

    An image that fails is noted and left out; a reason is logged once, with the number of its images.
    `progress` is called with (done, all) after each image.
    Raises CacheWriteError when crops cannot be stored, PreparationError when the processes died; both leave what is
    finished, and nothing half-written.
    """
    usable = []
    cache.tidy()
    told = Repeats("not prepared", logger.warning)
    try:
        for done, (row, error) in enumerate(zip(rows, _errors(rows, cache, workers), strict=True), start=1):
            if error is None:
                failures.remove(row.image_id, STEP)
                usable.append(row.image_id)
            else:
                failures.add(row.image_id, row.path, STEP, error)
                told.add(row.image_id, row.path, error)
            if progress is not None:
                progress(done, len(rows))
    except BrokenProcessPool:
        raise PreparationError(
            f"{cache.folder}: the processes preparing images have ended early, {len(usable)} of {len(rows)} images "
            "are done. Most likely the memory did not suffice: run again with fewer workers."
        ) from None
    finally:
        told.log_counts()
    failures.write_table()
    return usable


def _errors(rows: Sequence[ImageRow], cache: CropCache, workers: int) -> Iterator[Exception | None]:
    there = [cache.has(row) for row in rows]
    made = _made([row for row, done in zip(rows, there, strict=True) if not done], cache, workers)
    for done in there:
        yield None if done else next(made)


def _made(rows: Sequence[ImageRow], cache: CropCache, workers: int) -> Iterator[Exception | None]:
    work = partial(_try_one, cache)
    workers = min(workers, len(rows))
    if workers <= 1:
        yield from map(work, rows)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(work, rows)


def _try_one(cache: CropCache, row: ImageRow) -> Exception | None:
    try:
        cache.ensure(row)
    except CacheWriteError:
        raise
    except ValueError as error:
        return error
    except Exception as error:  # one image must not end a long run; it is noted
        return RuntimeError(f"{type(error).__name__}: {error}")
    return None


def _state(path: Path) -> _FileState:
    stat = path.stat()
    return str(path.absolute()), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _code_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in _PACKAGE.glob(pattern)):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
