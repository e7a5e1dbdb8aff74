"""DICOM secondary captures: the figure of each image as a colour picture, with the research note in its pixels.

Source   DICOM PS3.3, A.8.1. What was in the pixels of the image is in those of the picture, too: Burned In Annotation is YES.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from mammoseg.config import Config
from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.about import algorithm_version
from mammoseg.dicom_results.exam import View, compressed, write_series
from mammoseg.dicom_results.identity import NOTE, Series
from mammoseg.drawing.overlay import overlay_sheet
from mammoseg.drawing.sheet import Picture, Sheet, Text, fitted

NUMBER = 9104
"""Of the series."""
_BAND, _LETTERS = 30, 20
"""Rows above the figure, and the size of what stands there."""


class Options(Config):
    make_source: bool = False
    """Whether mammography objects are made of images that are no DICOM files, for these objects to refer to."""


def export(predictions: Predictions, out: Path, options: Options) -> None:
    """Write `out`/EXAM/IMAGE_figure.dcm, as dicom_results/exam.py says."""

    def make(views: Sequence[View], series: Series) -> Iterator[tuple[str, Dataset]]:
        for number, view in enumerate(views, start=1):
            yield f"{view.prediction.image_id}_figure", capture(view, series, number)

    write_series(predictions, out, "SC", NUMBER, {}, make, options.make_source)


def capture(view: View, series: Series, number: int) -> Dataset:
    """Raises like `Predicted.image`."""
    made = hd.sc.SCImage.from_ref_dataset(
        view.source,
        pixel_array=picture(view, series),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("A", "F"),  # highdicom wants one
        sop_instance_uid=series.instance(view.source.SOPInstanceUID),
        instance_number=number,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **series.equipment,
    )
    made.add_new("PatientOrientation", "CS", None)  # of several pictures side by side
    made.ImageLaterality = view.prediction.laterality
    made.ConversionType, made.BurnedInAnnotation = "WSD", "YES"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.DerivationDescription = f"{NOTE} {series.algorithm} {algorithm_version(series)}"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        view.source.SOPClassUID,
        view.source.SOPInstanceUID,
    )
    made.SourceImageSequence = [reference]
    return compressed(made)


def picture(view: View, series: Series) -> Picture:
    """(rows, columns, 3): the figure of `predict`, and above it the note."""
    sheet = overlay_sheet(view.predicted.image().pixels, view.prediction, {}, view.predicted.prep)
    band = Sheet(sheet.width, _BAND)
    words, size = fitted(f"{NOTE.upper()} {series.algorithm} {algorithm_version(series)}", sheet.width - 8, _LETTERS)
    band.texts.append(Text(4, _BAND - 8, words, size))
    return np.concatenate([band.draw(), sheet.draw()])
