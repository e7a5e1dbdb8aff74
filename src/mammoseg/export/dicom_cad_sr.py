"""Mammography CAD SR of an exam: its findings as marks, for workstations that show those of CAD devices.

    Mammography CAD Report
        Image Library                       the images; everything below refers to them
        CAD Processing and Findings Summary
            Individual Impression           one for each finding
                Single Image Finding        a selected region: algorithm, certainty in percent, centre, outline, class in words
        Summary of Detections               which algorithm has seen which images
        Summary of Analyses                 not attempted

Source   DICOM PS3.16, TID 4000 to 4021. The certainty is the score of the class, which is not calibrated; the probability of
         cancer, which the template has as well, is not stated. A rendering device may show a mark, and need not.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import MammographyCADSRStorage

from mammoseg.data.predictions import Predictions
from mammoseg.dicom_results.about import algorithm_parameters, algorithm_version
from mammoseg.dicom_results.codes import BREAST, view_code
from mammoseg.dicom_results.exam import View, write_series
from mammoseg.dicom_results.findings import Corner, FindingOptions, corners, findings, peak
from mammoseg.dicom_results.identity import NOTE, Series
from mammoseg.records.finding import Finding

Options = FindingOptions
NUMBER = 9103
"""Of the series."""
_CONTAINS, _PROPERTY, _MODIFIER = "CONTAINS", "HAS PROPERTIES", "HAS CONCEPT MOD"
_INFERRED, _ACQUIRED, _SELECTED = "INFERRED FROM", "HAS ACQ CONTEXT", "SELECTED FROM"
_LIBRARY = (1, 2)
"""Place of the image library: the second item of the root."""
_INTENT = codes.CID6034.PresentationOptionalRenderingDeviceMayPresent
_FOUND = codes.CID6014.SelectedRegion
_IMPRESSION = Code("111034", "DCM", "Individual Impression/Recommendation")
_PERCENT, _MM = Code("%", "UCUM", "Percent"), Code("mm", "UCUM", "millimeter")


def export(predictions: Predictions, out: Path, options: FindingOptions) -> None:
    """Write `out`/EXAM/cad_report.dcm, as dicom_results/exam.py says."""

    def make(views: Sequence[View], series: Series) -> Iterator[tuple[str, Dataset]]:
        yield "cad_report", report(views, options, series)

    write_series(predictions, out, "CAD SR", NUMBER, options.decisive, make, options.make_source)


def report(views: Sequence[View], options: FindingOptions, series: Series) -> Dataset:
    images = _container(codes.DCM.ImageLibrary, _CONTAINS, [_entry(view) for view in views])
    language = sr.LanguageOfContentItemAndDescendants(sr.CodedConcept("en-US", "RFC5646", "English (United States)"))
    made = sr.ComprehensiveSR(  # the two have the same modules
        evidence=[view.source for view in views],
        content=_container(codes.DCM.MammographyCADReport, None, [*language, images]),
        sop_instance_uid=series.instance(*sorted(view.source.SOPInstanceUID for view in views)),
        instance_number=1,
        is_complete=True,
        **series.equipment,
    )
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = MammographyCADSRStorage
    for image in images.ContentSequence:
        del image.ConceptNameCodeSequence  # highdicom wants a name, the template has none
    made.ContentSequence = [
        *language,
        images,
        *_results(views, options, series),
    ]  # nor does highdicom take references to items
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "4000"
    made.ContentTemplateSequence = [template]
    return made


def _results(views: Sequence[View], options: FindingOptions, series: Series) -> list[Dataset]:
    found = [(place, view, finding) for place, view in enumerate(views, 1) for _, finding in findings(view, options)]
    summary = (
        codes.CID6047.AllAlgorithmsSucceededWithFindings
        if found
        else codes.CID6047.AllAlgorithmsSucceededWithoutFindings
    )
    impressions = [_impression(view, place, finding, series) for place, view, finding in found]
    performed = _code(codes.DCM.DetectionPerformed, _FOUND, _CONTAINS, _algorithm(series))
    performed.ContentSequence.extend(_reference(place, _PROPERTY) for place, _ in enumerate(views, 1))
    detections = [_container(codes.DCM.SuccessfulDetections, _INFERRED, [performed])]
    return [
        _code(codes.DCM.CADProcessingAndFindingsSummary, summary, _CONTAINS, impressions),
        _code(codes.DCM.SummaryOfDetections, codes.DCM.Succeeded, _CONTAINS, detections),
        _code(codes.DCM.SummaryOfAnalyses, codes.DCM.NotAttempted, _CONTAINS),
    ]


def _entry(view: View) -> Dataset:
    """Of the image library (TID 4020): the image, and what its header says of it."""
    source = view.source
    about: list[Dataset] = [_code(codes.DCM.ImageLaterality, BREAST[view.prediction.laterality], _ACQUIRED)]
    if code := view_code(view.prediction.view):
        about.append(_code(codes.DCM.ImageView, code, _ACQUIRED))
    orientation = source.get("PatientOrientation") or ()
    for name, value in zip(
        (codes.DCM.PatientOrientationRow, codes.DCM.PatientOrientationColumn), orientation, strict=False
    ):
        about.append(sr.TextContentItem(name, value, _ACQUIRED))
    if spacing := source.get("ImagerPixelSpacing"):
        across = (codes.DCM.VerticalPixelSpacing, codes.DCM.HorizontalPixelSpacing)
        about += [
            sr.NumContentItem(name, float(mm), _MM, relationship_type=_ACQUIRED)
            for name, mm in zip(across, spacing, strict=True)
        ]
    identity = (source.SOPClassUID, source.SOPInstanceUID)
    return _with(sr.ImageContentItem(codes.DCM.SourceOfMeasurement, *identity, relationship_type=_CONTAINS), about)


def _impression(view: View, place: int, finding: Finding, series: Series) -> Dataset:
    """TID 4003 and 4006."""
    words = f"Score of class {finding.label}: {finding.score:.3f} (0 to 1, not calibrated). {NOTE}"
    intent = _code(codes.DCM.RenderingIntent, _INTENT, _MODIFIER)
    percent = round(100 * finding.score, 1)
    region = [
        intent,
        *_algorithm(series),
        sr.NumContentItem(codes.DCM.CertaintyOfFinding, percent, _PERCENT, relationship_type=_PROPERTY),
        _coordinates(codes.DCM.Center, "POINT", [peak(view, finding)], place),
        _coordinates(codes.DCM.Outline, "POLYLINE", corners(view, finding), place),
        sr.TextContentItem(codes.DCM.SelectedRegionDescription, words, _PROPERTY),
    ]
    return _container(_IMPRESSION, _INFERRED, [intent, _code(codes.DCM.SingleImageFinding, _FOUND, _CONTAINS, region)])


def _algorithm(series: Series) -> list[Dataset]:
    """TID 4019."""
    return [
        sr.TextContentItem(codes.DCM.AlgorithmName, series.algorithm, _PROPERTY),
        sr.TextContentItem(codes.DCM.AlgorithmVersion, algorithm_version(series), _PROPERTY),
        *(sr.TextContentItem(codes.DCM.AlgorithmParameters, text, _PROPERTY) for text in algorithm_parameters(series)),
    ]


def _coordinates(name: Code, kind: str, points: Sequence[Corner], place: int) -> Dataset:
    item = sr.ScoordContentItem(name, kind, np.array(points), relationship_type=_PROPERTY)
    return _with(item, [_reference(place, _SELECTED)])


def _reference(place: int, relationship: str) -> Dataset:
    """To an image of the library, by its place there, from 1."""
    item = Dataset()
    item.RelationshipType, item.ReferencedContentItemIdentifier = relationship, [*_LIBRARY, place]
    return item


def _container(name: Code, relationship: str | None, items: Sequence[Dataset]) -> Dataset:
    return _with(sr.ContainerContentItem(name, relationship_type=relationship), items)


def _code(name: Code, value: Code, relationship: str, items: Sequence[Dataset] = ()) -> Dataset:
    return _with(sr.CodeContentItem(name, value, relationship), items)


def _with(item: Dataset, items: Sequence[Dataset]) -> Dataset:
    plain = Dataset(item)
    if items:
        plain.ContentSequence = [Dataset(each) for each in items]
    return plain
