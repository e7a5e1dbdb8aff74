"""The images of an exam with the headers they came from, and one series of objects about them.

    OUT/EXAM/IMAGE.dcm        an object about one image
    OUT/EXAM/KIND.dcm         one about the whole exam
    OUT/EXAM/source/IMAGE.dcm with `make_source`: the mammography objects that were made of pictures

EXAM is the exam id, or a part of it with a hash where it is no file name or not the only one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from mammoseg.data.exam_names import exam_names
from mammoseg.data.predictions import Predicted, Predictions
from mammoseg.dicom_results.codes import BREAST
from mammoseg.dicom_results.identity import Series, series_of, settle
from mammoseg.dicom_results.made_source import make_source
from mammoseg.dicom_results.source import ResultError, as_in_the_source, read_source
from mammoseg.io.atomic import atomic_path
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom
from mammoseg.io.runs import read_run, record_path
from mammoseg.records.prediction import Prediction


@dataclass(frozen=True)
class View:
    """One image of an exam."""

    prediction: Prediction
    source: Dataset
    """The header that results refer to."""
    predicted: Predicted
    """For the pixels."""


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
    run, names = read_run(predictions.folder), exam_names(list(predictions.exams))

    def folder_of(prediction: Prediction) -> Path:
        return out / names[prediction.patient_id, prediction.exam_id]

    def load(image: Predicted) -> View:
        prediction, path = image.prediction, image.file()
        if prediction.laterality not in BREAST:
            raise ResultError(
                f"{prediction.image_id}: its side is neither L nor R. Expected one of them. Correct it, and predict again."
            )
        if make_sources and not is_dicom(path):
            source = make_source(image)
            _write(source, folder_of(prediction) / "source" / f"{prediction.image_id}.dcm")
            del source.PixelData
        else:
            source = read_source(path, prediction)
        return View(prediction, source, image)

    def write(views: list[View]) -> None:
        by_study: dict[str, list[View]] = {}
        for view in views:
            by_study.setdefault(str(view.source.StudyInstanceUID), []).append(view)
        for study, of_study in by_study.items():
            first = of_study[0]
            made = max(_predicted_at(predictions.folder, view.prediction.image_id) for view in of_study)
            series = series_of(kind, number, study, first.prediction.exam_id, run, settings, made)
            folder = folder_of(first.prediction)
            with as_in_the_source(), _telling(first.prediction.exam_id):
                for name, dataset in make(of_study, series):
                    settle(dataset, series, first.source)
                    _write(dataset, (folder if len(by_study) == 1 else folder / series.uid) / f"{name}.dcm")

    predictions.each_exam(load, write)


def _predicted_at(folder: Path, image_id: str) -> datetime:
    return datetime.fromtimestamp(int(record_path(folder, image_id).stat().st_mtime))


@contextmanager
def _telling(exam_id: str) -> Iterator[None]:
    """Headers can be wrong in more ways than a library foresees. What they say is not told: it may be about the patient."""
    try:
        yield
    except (ImageReadError, OSError):
        raise
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        raise ResultError(
            f"exam {exam_id}: no object can be made of what the headers of its images say ({type(error).__name__}). Expected "
            "headers as the standard has them. Look at the files with a checker such as dciodvfy, and correct them."
        ) from None


def compressed(dataset: Dataset) -> Dataset:
    """With its frames in RLE. Of pydicom's encoders one ends the process for frames whose rows and columns are both odd."""
    dataset.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    return dataset


def _write(dataset: Dataset, path: Path) -> None:
    with atomic_path(path) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)
