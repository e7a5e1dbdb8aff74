"""The DICOM image behind a prediction: its header, from which results take over patient and study."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import config, dcmread
from pydicom.dataset import Dataset

from mammoseg.io.dicom.elements import quiet
from mammoseg.io.errors import ImageReadError
from mammoseg.io.regular import open_regular
from mammoseg.records.prediction import Prediction

_EMPTY_IF_MISSING = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
"""Type 2 elements of patient and study: unknown is empty, not absent."""
_LARGEST_VALUE = 1 << 16
"""Bytes; larger values, such as icons and private blocks, are of no use here."""


class ResultError(ImageReadError):
    """An image that no DICOM object can refer to."""


def read_source(path: Path, prediction: Prediction) -> Dataset:
    """The header of the file that was predicted, without pixels, private elements and large values, in UTF-8.

    Raises ResultError if the image is no DICOM file or lacks the UIDs by which others refer to it.
    """
    identity = prediction.source.dicom if prediction.source else None
    if identity is None:
        raise ResultError(
            f"{prediction.image_id}: is no DICOM image, or its UIDs are not known, and DICOM results refer to such images. "
            "Expected a file with SOP Class, SOP Instance, Series and Study Instance UID. Predict the DICOM files, or let "
            "mammography objects be made of the pictures: --make-source."
        )
    with open_regular(path) as file, quiet():
        source = dcmread(file, stop_before_pixels=True, force=True, defer_size=_LARGEST_VALUE)
        source.remove_private_tags()
        source.decode()
    if source.get("SOPInstanceUID") != identity.sop_instance_uid:
        raise ResultError(
            f"{path}: is another image than the one that was predicted. Expected the same SOP Instance UID. Predict again."
        )
    return completed(source)


def completed(source: Dataset) -> Dataset:
    """What patient and study must have, even if it is empty."""
    for keyword in _EMPTY_IF_MISSING:
        if keyword not in source:
            setattr(source, keyword, None)
    source.SpecificCharacterSet = "ISO_IR 192"
    return source


@contextmanager
def as_in_the_source() -> Iterator[None]:
    """In this block, values are taken over as they stand, also those that the standard would not allow."""
    with config.disable_value_validation():
        yield
