"""DICOM Structured Report of an exam: the scores of images and breasts, and the outlines of the findings.

Source   DICOM PS3.16, TID 1500 "Measurement Report", as a Comprehensive SR. Scores are measurements of our own coding scheme:
         they are not calibrated, and none is called a probability of cancer.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset

from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.about import algorithm_of_report, observer
from mammoseg.dicom_results.codes import BREAST, NO_UNITS, PROCEDURE, class_code, score_code
from mammoseg.dicom_results.exam import View, write_series
from mammoseg.dicom_results.findings import FindingOptions, corners, findings
from mammoseg.dicom_results.identity import Series
from mammoseg.records.finding import Finding
from mammoseg.wording import counted

Options = FindingOptions
NUMBER = 9102
"""Of the series."""


def export(predictions: Predictions, out: Path, options: FindingOptions) -> None:
    """Write `out`/EXAM/report.dcm, as dicom_results/exam.py says."""

    def make(views: Sequence[View], series: Series) -> Iterator[tuple[str, Dataset]]:
        yield "report", report(views, options, series)

    write_series(predictions, out, "SR", NUMBER, options.decisive, make, options.make_source)


def report(views: Sequence[View], options: FindingOptions, series: Series) -> sr.ComprehensiveSR:
    content = sr.MeasurementReport(
        observation_context=observer(series),
        procedure_reported=PROCEDURE,
        imaging_measurements=[
            *(
                _breast(side, views, series)
                for side in ("R", "L")
                if any(v.prediction.laterality == side for v in views)
            ),
            *(_image(view, series) for view in views),
            *(_region(view, number, finding, series) for view in views for number, finding in findings(view, options)),
        ],
    )
    return sr.ComprehensiveSR(
        evidence=[view.source for view in views],
        content=content,
        sop_instance_uid=series.instance(*sorted(view.source.SOPInstanceUID for view in views)),
        instance_number=1,
        is_complete=True,
        **series.equipment,
    )


def _breast(side: str, views: Sequence[View], series: Series) -> sr.MeasurementsAndQualitativeEvaluations:
    """Of a breast the mean over its images here: it says of how many, since one may be missing."""
    images = [view.prediction.scores for view in views if view.prediction.laterality == side]
    scores = {name: float(np.mean([scores[name] for scores in images])) for name in images[0]}
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(series, f"breast {side}, mean of {counted(len(images), 'image')}"),
        algorithm_id=algorithm_of_report(series),
        finding_sites=[sr.FindingSite(BREAST[side])],
        measurements=_measured(scores),
    )


def _image(view: View, series: Series) -> sr.MeasurementsAndQualitativeEvaluations:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(series, f"image {view.prediction.image_id}"),
        algorithm_id=algorithm_of_report(series),
        finding_sites=[sr.FindingSite(BREAST[view.prediction.laterality])],
        measurements=_measured(view.prediction.scores),
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(view.source)],
    )


def _region(
    view: View, number: int, finding: Finding, series: Series
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    identity = (view.source.SOPClassUID, view.source.SOPInstanceUID)
    region = sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(corners(view, finding)),
        source_image=sr.SourceImageForRegion(*identity),
    )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(series, f"finding {number} of image {view.prediction.image_id}"),
        referenced_region=region,
        finding_type=class_code(finding.label),
        algorithm_id=algorithm_of_report(series),
        finding_sites=[sr.FindingSite(BREAST[view.prediction.laterality])],
        measurements=_measured({finding.label: finding.score}),
    )


def _measured(scores: Mapping[str, float]) -> list[sr.Measurement]:
    return [sr.Measurement(score_code(name), score, NO_UNITS) for name, score in scores.items()]


def _tracking(series: Series, what: str) -> sr.TrackingIdentifier:
    return sr.TrackingIdentifier(uid=series.instance(what), identifier=what)
