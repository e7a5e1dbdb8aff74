"""DICOM SEG: segmentations of images, binary, fractional or label maps.

A frame tells its segment and the image that it was drawn on; a segmentation of one image may tell the image as a whole. A segment
is called by its Segment Label; its property type and category, and their codes, stand for it too.

Source: DICOM PS3.3 A.51 and C.8.20 (Segmentation), C.7.6.16.2.6 (Derivation Image).
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from pydantic import Field
from pydicom import Dataset, uid

from mammoseg.config import Config
from mammoseg.ingest.annotation import UID, Annotation, AnnotationError, Patch, Size, check_size, damage
from mammoseg.ingest.label_volume import labels_in
from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.objects import frame_of, read_object, sop_class_of

TITLE = "DICOM SEG, segmentations from a PACS, 3D Slicer, OHIF, highdicom"
IMAGES = UID
_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
_MOST_FRAMES = 1000
_CLASSES = (uid.SegmentationStorage, _LABEL_MAP)


class Options(Config):
    threshold: float = Field(default=0.5, gt=0, le=1)
    """From which share of the largest value up a pixel of a fractional segmentation is in the segment."""


def reads(path: Path) -> bool:
    """By the class of the object."""
    return sop_class_of(path) in _CLASSES


def read(path: Path, options: Options) -> list[Annotation]:
    """A segment of a frame each. Raises AnnotationError if it is no segmentation."""
    reading = object()
    dataset = read_object(path)
    with damage("the segmentation"), quiet():
        if str(dataset.get("SOPClassUID", "")) not in _CLASSES:
            raise AnnotationError("it is a DICOM object of another kind. Expected a segmentation (SEG).")
        if str(dataset.get("SegmentationType", "")) == "LABELMAP":  # which segments are in a frame stands in its pixels
            dataset = _with_pixels(path, reading)
        return list(_segments(dataset, path, reading, options.threshold))


@lru_cache(maxsize=1)
def _with_pixels(path: Path, reading: object) -> Dataset:
    """For all that one reading of the file has found, which is drawn one after the other."""
    return read_object(path, pixels=True)


def _segments(dataset: Dataset, path: Path, reading: object, threshold: float) -> Iterator[Annotation]:
    described = {int(item.SegmentNumber): item for item in dataset.SegmentSequence}
    size = int(dataset.Rows), int(dataset.Columns)
    is_map = str(dataset.get("SegmentationType", "")) == "LABELMAP"
    frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    if not 0 < len(frames) <= _MOST_FRAMES:
        raise AnnotationError(
            f"it has {len(frames)} frames. Expected one for each segment and image, at most {_MOST_FRAMES}."
        )
    whole = _images_of(dataset)
    for index, frame in enumerate(frames):
        groups = [frame, *shared]
        images = _sources(groups) or whole
        if not images:
            raise AnnotationError(
                f"frame {index + 1} does not tell the image that it was drawn on. Expected its SOP Instance UID."
            )
        for number in labels_in(frame_of(dataset, index)) if is_map else [_number(groups)]:
            segment = described.get(number)
            if segment is None:
                raise AnnotationError(
                    f"frame {index + 1} is of segment {number}, which is not described. Expected its description."
                )
            item = f"segment {number}, frame {index + 1}"
            draw = partial(_draw, path, reading, index, number, threshold)
            yield Annotation(item, images, str(segment.get("SegmentLabel", "")), draw, _names(segment), size=size)


def _number(groups: list[Dataset]) -> int:
    for group in groups:
        for item in group.get("SegmentIdentificationSequence") or []:
            return int(item.ReferencedSegmentNumber)
    raise AnnotationError("a frame does not tell its segment. Expected a Referenced Segment Number.")


def _sources(groups: list[Dataset]) -> tuple[str, ...]:
    """The images that a frame was derived from."""
    derived = [item for group in groups for item in group.get("DerivationImageSequence") or []]
    sources = [source for item in derived for source in item.get("SourceImageSequence") or []]
    return tuple(dict.fromkeys(str(source.ReferencedSOPInstanceUID) for source in sources))


def _images_of(dataset: Dataset) -> tuple[str, ...]:
    """The image of a segmentation of one image."""
    series = dataset.get("ReferencedSeriesSequence") or []
    listed = [item for one in series for item in one.get("ReferencedInstanceSequence") or []]
    for items in (listed, dataset.get("SourceImageSequence") or []):
        images = dict.fromkeys(str(item.ReferencedSOPInstanceUID) for item in items)
        if len(images) == 1:
            return tuple(images)
    return ()


def _names(segment: Dataset) -> tuple[str, ...]:
    codes = [
        code
        for name in ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyCategoryCodeSequence")
        for code in segment.get(name) or []
    ]
    texts = [str(code.get(name, "")) for code in codes for name in ("CodeMeaning", "CodeValue")]
    return tuple(text for text in (*texts, str(segment.get("SegmentDescription") or "")) if text)


def _draw(path: Path, reading: object, index: int, number: int, threshold: float, size: Size) -> Patch:
    dataset = _with_pixels(path, reading)
    with damage("the segmentation"), quiet():
        values = frame_of(dataset, index)
        kind, largest = str(dataset.get("SegmentationType", "")), int(dataset.get("MaximumFractionalValue") or 255)
    check_size((values.shape[0], values.shape[1]), size)
    if kind == "LABELMAP":
        return Patch(0, 0, np.equal(values, number))
    if kind == "FRACTIONAL":
        return Patch(0, 0, np.greater_equal(values, threshold * largest))
    return Patch(0, 0, np.not_equal(values, 0))
