"""A predictions folder as an exporter sees it: image by image, with the pixels of the file, and with the truth of a manifest.

The records of the folder name the files. A manifest is needed only for the truth, and for the files if they were moved.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from mammoseg.config import parse
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.data.masks import Truth, readable_masks
from mammoseg.io.errors import ImageReadError, RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.read import read_image
from mammoseg.io.regular import open_regular
from mammoseg.io.repeats import Repeats
from mammoseg.io.runs import is_done, load_prediction, predicted_classes, predicted_ids, read_record, read_run
from mammoseg.prep.config import PrepConfig
from mammoseg.records.image import Mammogram
from mammoseg.records.label import reported
from mammoseg.records.prediction import Prediction

logger = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")
_UNKNOWN = Path()


@dataclass(frozen=True)
class Predicted:
    """One image of a predictions folder."""

    prediction: Prediction
    row: ImageRow
    """Its row of the manifest; without one, what the record tells."""
    prep: PrepConfig
    """How the images were prepared."""
    tell: Callable[[str], None]
    """Takes what is to be said about the image and does not end the work on it."""

    def image(self) -> Mammogram:
        """The pixels that were predicted. Raises ImageReadError if their file is unknown, missing, damaged or another one."""
        path = self._path()
        image = self.row.mammogram(*read_image(path, self.prep.dicom))
        self._check(path, image.source.sha256 if image.source else None)
        return image

    def file(self) -> Path:
        """The file that was predicted, not decoded. Raises ImageReadError if it is unknown, missing or another one."""
        path = self._path()
        with open_regular(path) as file:
            self._check(path, hashlib.file_digest(file, "sha256").hexdigest())
        return path

    def _path(self) -> Path:
        if self.row.path == _UNKNOWN:
            raise ImageReadError(
                f"{self.prediction.image_id}: its record does not name the file of the image: it is of an earlier version, or "
                "has pseudonyms. Expected a path. Give the table of images with --manifest, and with --hash-ids if that was used."
            )
        return self.row.path

    def _check(self, path: Path, sha256: str | None) -> None:
        source = self.prediction.source
        if source and sha256 and source.sha256 != sha256:
            raise ImageReadError(
                f"{path}: the file has changed since it was predicted. Expected the content that the prediction is about. Put "
                "the file back, or predict again."
            )

    def truth(self) -> Truth:
        """The lesion masks of the manifest in the pixels of the file. Those that cannot be read are told."""
        truth = readable_masks(self.row.masks, self.prediction.grid, self.row.mask_frame)
        for why in truth.unread.values():
            self.tell(self.row.shown(f"without its true lesion: {why}"))
        return truth


class Predictions:
    """The images of a folder. What fails for one of them is noted, and the others go on."""

    def __init__(self, folder: Path, manifest: Manifest | None, out: Path, step: str = "export") -> None:
        """Failures are noted in the folder `out`, as those of `step`. Raises RunFileError if `folder` holds no predictions or only
        others than those of the manifest."""
        self.folder, self.manifest = folder, manifest
        self.prep = parse(PrepConfig, read_run(folder).get("prep", {}), f"{folder / 'run.json'}, prep,")
        self.image_ids = predicted_ids(folder)
        rows = manifest.rows(reported(predicted_classes(folder)), required=False) if manifest else ()
        self.rows = {row.image_id: row for row in rows}
        """By their image_id: those of the manifest, and of other images what their records tell, once they are opened."""
        if manifest and self.image_ids and self.rows.keys().isdisjoint(self.image_ids):
            raise RunFileError(
                f"{folder}: none of its {len(self.image_ids)} images is in {manifest.path}. Expected the manifest that was "
                "predicted. Give that one."
            )
        self._of_manifest = dict(self.rows)
        self._step, self._failures, self._told = step, Failures(out), Repeats(step, logger.warning)
        self.failed: dict[str, str] = {}
        """The images that did not work, and why."""

    def only(self, image_ids: Collection[str]) -> "Predictions":
        """Those of these images that the folder has now, which may have grown since; with failures of their own."""
        some = copy(self)
        some.image_ids = sorted(image_id for image_id in image_ids if is_done(self.folder, image_id))
        some.rows = {i: self._of_manifest[i] for i in image_ids if i in self._of_manifest}
        some.failed = {}
        return some

    def each(self, make: Callable[[Predicted], T]) -> list[T]:
        """What `make` gives for every image, in the order of their ids; without those for which it raises an error."""
        made = self._made(self.image_ids, make)
        self.finish()
        return made

    def each_exam(self, load: Callable[[Predicted], S], make: Callable[[list[S]], T]) -> list[T]:
        """What `make` gives for every exam, in the order of their first images, of what `load` gives for each of its images.

        Images for which `load` raises an error are missing there; if `make` raises one, it counts for all images of the exam.
        """
        made: list[T] = []
        for image_ids in self.exams.values():
            loaded = self._made(image_ids, load)
            if loaded:
                with self.noting(*(image_id for image_id in image_ids if image_id not in self.failed)):
                    made.append(make(loaded))
        self.finish()
        return made

    @cached_property
    def exams(self) -> dict[tuple[str, str], list[str]]:
        """(patient_id, exam_id) -> its images, of all whose records can be read; the others are noted."""
        found: dict[tuple[str, str], list[str]] = {}
        for image_id in self.image_ids:
            with self.noting(image_id):
                about = read_record(self.folder, image_id).about
                found.setdefault((about.patient_id, about.exam_id), []).append(image_id)
        return found

    def _made(self, image_ids: Sequence[str], make: Callable[[Predicted], T]) -> list[T]:
        made = []
        for image_id in image_ids:
            with self.noting(image_id):
                made.append(make(self.open(image_id)))
        return made

    def open(self, image_id: str) -> Predicted:
        """One image. Raises RunFileError if its record or its maps are damaged."""
        prediction = load_prediction(self.folder, image_id)
        row = self.rows.setdefault(image_id, _row_of(prediction))
        return Predicted(prediction, row, self.prep, partial(self._told.add, image_id, row.path))

    @contextmanager
    def noting(self, *image_ids: str) -> Iterator[None]:
        """A block of work on images: an error that is raised in it is noted for each of them, and ends the block only."""
        try:
            yield
        except (ValueError, OSError) as error:
            for image_id in image_ids:
                row = self.rows.get(image_id)
                message = self.failed[image_id] = row.shown(error) if row else str(error)
                self._failures.add(image_id, row.shown(row.path) if row else "", self._step, error, message)
                self._told.add(image_id, row.path if row else self.folder, message)
        else:
            for image_id in image_ids:
                self._failures.remove(image_id)

    def finish(self) -> None:
        """Write errors.csv, and tell how many images each message was about."""
        self._failures.write_table()
        self._told.log_counts()


def _row_of(prediction: Prediction) -> ImageRow:
    """What a manifest would say, as far as a prediction tells it."""
    ids = (prediction.patient_id, prediction.exam_id, prediction.image_id)
    side: Any = prediction.laterality
    return ImageRow(*ids, side, prediction.view, (prediction.source and prediction.source.path) or _UNKNOWN)
