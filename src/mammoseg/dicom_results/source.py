"""The DICOM image behind a prediction: its header, from which results take over patient and study."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import config, dcmread
from pydicom.dataset import Dataset

from mammoseg.io.dicom.elements import quiet
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom
from mammoseg.io.regular import open_regular
from mammoseg.records.prediction import Prediction

_EMPTY_IF_MISSING = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
"""Type 2 elements of patient and study: unknown is empty, not absent."""
_DATE, _TIME = re.compile(r"(\d{8})?"), re.compile(r"(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?")
_FORMS = {
    "PatientBirthDate": _DATE,
    "StudyDate": _DATE,
    "StudyTime": _TIME,
    "PatientSex": re.compile(r"[MFO]?"),
}
_TOGETHER: tuple[tuple[tuple[str, ...], Callable[..., bool]], ...] = (
    (("ImagerPixelSpacing",), lambda spacing: len(spacing) == 2 and min(spacing) > 0),
    (("PixelSpacing",), lambda spacing: len(spacing) == 2 and min(spacing) > 0),
    (("WindowCenter", "WindowWidth"), lambda c, w: len(c) == len(w) > 0 and min(w) > 0),
    (("RescaleIntercept", "RescaleSlope"), lambda b, m: len(b) == len(m) == 1 and m[0] != 0),
)
"""Elements that are there together, and when they are whole."""
_UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_LARGEST_VALUE = 1 << 16
"""Bytes; larger values, such as icons and private blocks, are of no use here."""


class ResultError(ImageReadError):
    """An image that no DICOM object can refer to."""


def read_source(path: Path, prediction: Prediction) -> Dataset:
    """The header of the file that was predicted, without pixels, private elements and large values, in UTF-8.

    What no software could read is empty there, as `completed` says. Raises ResultError if the image is no DICOM file or lacks the
    UIDs by which others refer to it.
    """
    if not is_dicom(path):
        raise ResultError(
            f"{prediction.image_id}: is no DICOM image, and DICOM results refer to such images. Expected a DICOM file. Predict "
            "DICOM files, or let mammography objects be made of the pictures: --make-source."
        )
    with open_regular(path) as file, quiet():
        source = dcmread(file, stop_before_pixels=True, force=True, defer_size=_LARGEST_VALUE)
        source.remove_private_tags()
        source.decode()
    if missing := [keyword for keyword in _UIDS if not source.get(keyword)]:
        raise ResultError(
            f"{prediction.image_id}: its file has no {', '.join(missing)}. Expected what others refer to an image by. Export it "
            "from its archive again."
        )
    return completed(source)


def completed(source: Dataset) -> Dataset:
    """What patient and study must have, even if it is empty, and nothing that cannot be what it is said to be: a date or sex that
    is none is empty, a pixel spacing, window or rescaling that is not whole is left out."""
    for keyword in _EMPTY_IF_MISSING:
        form = _FORMS.get(keyword)
        if keyword not in source or (form and not form.fullmatch(str(source[keyword].value or ""))):
            setattr(source, keyword, None)
    for keywords, whole in _TOGETHER:
        if any(keyword in source for keyword in keywords) and not whole(*(_numbers(source, k) for k in keywords)):
            for keyword in keywords:
                source.pop(keyword, None)
    if not source.get("Modality"):
        source.Modality = "MG"
    source.SpecificCharacterSet = "ISO_IR 192"
    return source


def _numbers(source: Dataset, keyword: str) -> list[float]:
    """Empty: there are none, or they are no numbers."""
    value = source.get(keyword)
    try:
        return [float(v) for v in ([value] if isinstance(value, str | int | float) else value or ())]
    except (TypeError, ValueError):
        return []


@contextmanager
def as_in_the_source() -> Iterator[None]:
    """In this block, values are taken over as they stand, also those that the standard would not allow."""
    with config.disable_value_validation():
        yield
