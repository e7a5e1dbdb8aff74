"""DICOM presentation states: the outlines of the findings as graphics on the original images.

Source   DICOM PS3.3, A.33.1, C.10.5 and C.10.7: a Grayscale Softcopy Presentation State for each image, a layer for each class.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from highdicom import PresentationLUTTransformation, pr
from highdicom.color import CIELabColor
from pydicom.dataset import Dataset

from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.codes import short
from mammoseg.dicom_results.exam import View, write_series
from mammoseg.dicom_results.findings import FindingOptions, corners, findings, peak
from mammoseg.dicom_results.identity import NOTE, Series
from mammoseg.records.colours import Look, looks, rgb
from mammoseg.records.finding import Finding

Options = FindingOptions
NUMBER = 9105
"""Of the series."""
_PIXEL = pr.AnnotationUnitsValues.PIXEL
_CORNER = (0.01, 0.01, 0.6, 0.04)
"""Left, top, right, bottom of the note, as shares of the display."""


def export(predictions: Predictions, out: Path, options: FindingOptions) -> None:
    """Write `out`/EXAM/IMAGE_outlines.dcm, as dicom_results/exam.py says."""

    def make(views: Sequence[View], series: Series) -> Iterator[tuple[str, Dataset]]:
        for number, view in enumerate(views, start=1):
            yield f"{view.prediction.image_id}_outlines", presentation(view, options, series, number)

    write_series(predictions, out, "GSPS", NUMBER, options.decisive, make, options.make_source)


def presentation(
    view: View, options: FindingOptions, series: Series, number: int
) -> pr.GrayscaleSoftcopyPresentationState:
    layers = {
        name: pr.GraphicLayer(f"CLASS_{place}", place, short(f"Findings of class {name}"), _colour(look))
        for place, (name, look) in enumerate(looks(view.prediction.scores).items(), start=1)
    }
    note = pr.GraphicLayer("NOTE", len(layers) + 1, NOTE)
    drawn = [_annotation(view, layers[finding.label], finding) for _, finding in findings(view, options)]
    made = pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[view.source],
        sop_instance_uid=series.instance(view.source.SOPInstanceUID),
        instance_number=number,
        content_label="MAMMOSEG",
        content_description=NOTE,
        graphic_layers=[*layers.values(), note],
        graphic_annotations=[*drawn, _note(view, note, series)],
        presentation_lut_transformation=_polarity(view.source),
        **series.equipment,
    )
    made.Laterality = None  # the series is of both breasts
    return made


def _polarity(source: Dataset) -> PresentationLUTTransformation:
    """A presentation state overrides the Photometric Interpretation of its image (PS3.4, N.2.1.4): without a word about it,
    MONOCHROME1 would be shown as a negative."""
    inverse = source.PhotometricInterpretation == "MONOCHROME1"
    return PresentationLUTTransformation(presentation_lut_shape="INVERSE" if inverse else "IDENTITY")


def _annotation(view: View, layer: pr.GraphicLayer, finding: Finding) -> pr.GraphicAnnotation:
    outline = pr.GraphicObject(
        graphic_type=pr.GraphicTypeValues.POLYLINE, graphic_data=np.array(corners(view, finding)), units=_PIXEL
    )
    words = pr.TextObject(
        text_value=f"{finding.label} {finding.score:.2f}",
        units=_PIXEL,
        anchor_point=peak(view, finding),
        anchor_point_visible=False,
    )
    return pr.GraphicAnnotation([view.source], layer, graphic_objects=[outline], text_objects=[words])


def _note(view: View, layer: pr.GraphicLayer, series: Series) -> pr.GraphicAnnotation:
    """In the upper corner of the display, whatever part of the image it shows."""
    scores = ", ".join(f"{name} {score:.2f}" for name, score in view.prediction.scores.items())
    words = pr.TextObject(
        text_value=f"{NOTE} {series.algorithm}: {scores}",
        units=pr.AnnotationUnitsValues.DISPLAY,
        bounding_box=_CORNER,
        text_justification=pr.TextJustificationValues.LEFT,
    )
    return pr.GraphicAnnotation([view.source], layer, text_objects=[words])


def _colour(look: Look) -> CIELabColor:
    return CIELabColor.from_rgb(*rgb(look.on_dark))
