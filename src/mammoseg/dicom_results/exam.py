"""The images of an exam with the headers they came from, and one series of objects about them.

    OUT/EXAM/IMAGE.dcm        an object about one image
    OUT/EXAM/KIND.dcm         one about the whole exam
    OUT/EXAM/source/IMAGE.dcm with `make_source`: the mammography objects that were made of pictures

EXAM is the exam id, or a hash of it if it is no file name.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.dicom_results.identity import Series, series_of, settle
from mammoseg.dicom_results.made_source import make_source
from mammoseg.dicom_results.source import as_in_the_source, read_source
from mammoseg.io.atomic import atomic_path
from mammoseg.io.runs import is_safe_id, read_run, record_path
from mammoseg.records.prediction import Prediction


@dataclass(frozen=True)
class View:
    """One image of an exam."""

    prediction: Prediction
    source: Dataset
    """The header that results refer to."""
    predicted: Predicted
    """For the pixels."""

    @property
    def frame(self) -> int | None:
        """Number of the frame in a source of several, from 1."""
        identity = self.prediction.source and self.prediction.source.dicom
        return identity.frame if identity and "NumberOfFrames" in self.source else None


Made = Iterable[tuple[str, Dataset]]
"""Names of files, without `.dcm`, and their objects."""


def write_series(
    predictions: Predictions,
    out: Path,
    kind: str,
    number: int,
    settings: Mapping[str, Any],
    make: Callable[[Sequence[View], Series], Made],
    make_sources: bool = False,
) -> None:
    """For each study of each exam the objects that `make` gives, one series.

    `kind` and `number` of the series; `settings` are the exporter's, which decide what is made. With `make_sources` mammography
    objects are made of pictures. What fails is noted as `Predictions.each_exam` does.
    """
    run = read_run(predictions.folder)

    def load(image: Predicted) -> View:
        if make_sources and not (image.prediction.source and image.prediction.source.dicom):
            source = make_source(image)
            _write(source, _folder(out, image.prediction.exam_id) / "source" / f"{image.prediction.image_id}.dcm")
            del source.PixelData
        else:
            source = read_source(image.file(), image.prediction)
        return View(image.prediction, source, image)

    def write(views: list[View]) -> None:
        by_study: dict[str, list[View]] = {}
        for view in views:
            by_study.setdefault(str(view.source.StudyInstanceUID), []).append(view)
        for study, of_study in by_study.items():
            exam, first = of_study[0].prediction.exam_id, of_study[0].source
            made = max(_predicted_at(predictions.folder, view.prediction.image_id) for view in of_study)
            series = series_of(kind, number, study, exam, run, settings, made)
            with as_in_the_source():
                for name, dataset in make(of_study, series):
                    settle(dataset, series, first)
                    folder = _folder(out, exam) if len(by_study) == 1 else _folder(out, exam) / series.uid
                    _write(dataset, folder / f"{name}.dcm")

    predictions.each_exam(load, write)


def _predicted_at(folder: Path, image_id: str) -> datetime:
    return datetime.fromtimestamp(int(record_path(folder, image_id).stat().st_mtime))


def _folder(out: Path, exam_id: str) -> Path:
    return out / (exam_id if is_safe_id(exam_id) else hashlib.sha256(exam_id.encode()).hexdigest()[:16])


def _write(dataset: Dataset, path: Path) -> None:
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
