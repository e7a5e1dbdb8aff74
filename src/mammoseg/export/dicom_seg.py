"""DICOM Segmentation: where the maps reach a threshold, and the maps as probabilities, on the pixels of the image.

Source   DICOM PS3.3, A.51 and C.8.20. Two objects for an image, with a segment for each class: IMAGE_binary.dcm, and
         IMAGE_fractional.dcm in steps of 1/255.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from mammoseg.config import Config
from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.about import algorithm
from mammoseg.dicom_results.codes import BREAST, class_code, short
from mammoseg.dicom_results.exam import View, compressed, write_series
from mammoseg.dicom_results.identity import NOTE, Series

NUMBER = 9101
"""Of the series."""


class Options(Config):
    threshold: float = Field(0.5, gt=0, le=1)
    """Least probability inside of a binary segment."""
    make_source: bool = False
    """Whether mammography objects are made of images that are no DICOM files, for these objects to refer to."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/EXAM/IMAGE_binary.dcm and IMAGE_fractional.dcm, as dicom_results/exam.py says."""

    def make(views: Sequence[View], series: Series) -> Iterator[tuple[str, Dataset]]:
        for number, view in enumerate(views):
            image_id, maps = view.prediction.image_id, view.prediction.grid.restore(view.prediction.maps["saliency"])
            for place, kind in enumerate(("BINARY", "FRACTIONAL"), start=1):
                yield (
                    f"{image_id}_{kind.lower()}",
                    segmentation(view, maps, kind, options.threshold, series, 2 * number + place),
                )

    settings = {"threshold": options.threshold}
    write_series(predictions, out, "SEG", NUMBER, settings, make, options.make_source)


def segmentation(
    view: View, maps_KHW: NDArray[np.floating], kind: str, threshold: float, series: Series, number: int
) -> Dataset:
    """`maps_KHW` in the pixels of the source."""
    binary = kind == "BINARY"
    reached = f"at least {threshold:g}" if binary else "as a probability"
    segments = [
        hd.seg.SegmentDescription(
            segment_number=place,
            segment_label=short(f"{name}, {reached}"),
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=class_code(name),
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm(series),
            tracking_id=short(f"{view.prediction.image_id}, {name}, {kind.lower()}"),
            tracking_uid=series.instance(view.source.SOPInstanceUID, kind, name),
            anatomic_regions=[BREAST[view.prediction.laterality]],
        )
        for place, name in enumerate(view.prediction.scores, start=1)
    ]
    pixels_1HWK = np.moveaxis(maps_KHW, 0, -1)[None]
    made = hd.seg.Segmentation(
        source_images=[view.source],
        pixel_array=(pixels_1HWK >= threshold).astype(np.uint8) if binary else pixels_1HWK.astype(np.float32),
        segmentation_type=kind,
        segment_descriptions=segments,
        sop_instance_uid=series.instance(view.source.SOPInstanceUID, kind),
        instance_number=number,
        content_label="SALIENCY",
        content_description=NOTE,
        omit_empty_frames=False,  # a class that is nowhere is said to be nowhere
        **series.equipment,
    )
    made.PatientOrientation = view.source.get("PatientOrientation")
    return made if binary else compressed(made)
