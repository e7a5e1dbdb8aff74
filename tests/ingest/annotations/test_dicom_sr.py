"""Regions of reports: those that highdicom writes (TID 1500) and those of mammography CAD (TID 4000), made as devices send them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CAD = "1.2.840.10008.5.1.4.1.1.88.50"


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def content(kind: str, concept: Dataset, *below: Dataset, relation: str = "CONTAINS", **more: Any) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = relation, kind, [concept]
    for name, value in more.items():
        setattr(item, name, value)
    if below:
        item.ContentSequence = [*below]
    return item


def image(uid: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", uid
    item.ReferencedSOPSequence = [reference]
    return item


def refers(*place: int) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ReferencedContentItemIdentifier = "SELECTED FROM", [*place]
    return item


def scoord(concept: Dataset, kind: str, points: Sequence[float], *place: int) -> Dataset:
    return content(
        "SCOORD", concept, refers(*place), relation="HAS PROPERTIES", GraphicType=kind, GraphicData=[*points]
    )


def number(concept: Dataset, value: str, unit: str) -> Dataset:
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = value, [code(unit, unit, "UCUM")]
    return content("NUM", concept, relation="HAS PROPERTIES", MeasuredValueSequence=[measured])


def intent(value: str, meaning: str) -> Dataset:
    return content(
        "CODE",
        code("111056", "Rendering Intent"),
        relation="HAS CONCEPT MOD",
        ConceptCodeSequence=[code(value, meaning)],
    )


@pytest.fixture
def write(study: Any) -> Callable[..., Path]:
    """A CAD report on the two images, which stand in its library as items 1.1.1 and 1.1.2."""

    def to_file(*findings: Dataset, sop_class: str = CAD, name: str = "cad") -> Path:
        uids = [pydicom.dcmread(study.image(which)).SOPInstanceUID for which in ("left", "right")]
        library = content("CONTAINER", code("111028", "Image Library"), *map(image, uids))
        summary = content(
            "CODE",
            code("111017", "CAD Processing and Findings Summary"),
            content("CONTAINER", code("111034", "Individual Impression/Recommendation"), *findings),
            ConceptCodeSequence=[code("111242", "All algorithms succeeded; with findings")],
        )
        report = content("CONTAINER", code("111036", "Mammography CAD Report"), library, summary)
        report.SOPClassUID, report.SOPInstanceUID, report.Modality = sop_class, generate_uid(), "SR"
        report.file_meta = FileMetaDataset()
        report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
        report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
        report.save_as(study.folder / name, enforce_file_format=True)
        return study.folder / name

    return to_file


def finding(*below: Dataset, kind: tuple[str, str] = ("4147007", "Mammographic breast mass")) -> Dataset:
    return content("CODE", code("111059", "Single Image Finding"), *below, ConceptCodeSequence=[code(*kind, "SCT")])


OUTLINE, CENTER = code("111041", "Outline"), code("111010", "Center")
SQUARE = (10, 20, 40, 20, 40, 50, 10, 50, 10, 20)


def test_findings_of_cad(write: Any, bring: Any, mask_of: Any) -> None:
    """The outline is closed; the image stands in the library; points have no region; what is not to be shown is left out."""
    path = write(
        finding(
            intent("111150", "Presentation Required"),
            number(code("111047", "Probability of cancer"), "83", "%"),
            scoord(CENTER, "POINT", (25, 35), 1, 1, 1),
            scoord(OUTLINE, "POLYLINE", SQUARE, 1, 1, 1),
        ),
        finding(
            intent("111152", "Not for Presentation"), scoord(OUTLINE, "POLYLINE", (60, 60, 90, 60, 90, 90), 1, 1, 1)
        ),
        finding(scoord(OUTLINE, "CIRCLE", (64, 80, 64, 90), 1, 1, 2), kind=("129770000", "Calcification Cluster")),
    )
    done = bring("dicom_sr", path, rules=("Mammographic breast mass=malignant", "129770000=benign"))
    assert not done.problems
    expected = np.zeros((160, 128), bool)
    expected[20:50, 10:40] = True
    assert np.array_equal(mask_of(done, "left", "malignant"), expected)
    assert mask_of(done, "right", "benign").sum() == pytest.approx(np.pi * 100, rel=0.03)
    assert [f["pixels"] > 0 for f in done.findings] == [False, True, True]
    assert done.findings[1]["said"] == "Rendering Intent: Presentation Required; Probability of cancer: 83 %"


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
def test_an_ellipse(degrees: float, write: Any, bring: Any, mask_of: Any) -> None:
    """Within a pixel of the points that it is made of."""
    angle = np.deg2rad(degrees)
    long, short = 40 * np.array([np.cos(angle), np.sin(angle)]), 15 * np.array([-np.sin(angle), np.cos(angle)])
    middle = np.array([60.0, 80.0])
    ends = [middle - long, middle + long, middle - short, middle + short]
    path = write(finding(scoord(OUTLINE, "ELLIPSE", np.concatenate(ends).tolist(), 1, 1, 1)))
    mask = mask_of(bring("dicom_sr", path, rules=("*=benign",)), "left", "benign")
    t = np.linspace(0, 2 * np.pi, 500)
    rim = middle + np.outer(np.cos(t), long) + np.outer(np.sin(t), short)
    inner, outer = ((rim - middle) * scale + middle for scale in (1 - 1.5 / 15, 1 + 1.5 / 15))
    assert all(mask[int(y), int(x)] for x, y in inner)
    assert not any(mask[int(y), int(x)] for x, y in outer if x < 128)
    assert mask.sum() == pytest.approx(np.pi * 40 * 15, rel=0.03)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (scoord(OUTLINE, "POLYLINE", (1, 2, float("nan"), 4, 5, 6), 1, 1, 1), "not a number"),
        (scoord(OUTLINE, "POLYLINE", (1, 2, 1e30, 4, 5, 6), 1, 1, 1), "beyond"),
        (scoord(OUTLINE, "POLYLINE", (1, 2, 3), 1, 1, 1), "pairs"),
        (scoord(OUTLINE, "POLYLINE", (), 1, 1, 1), "0 points"),
        (scoord(OUTLINE, "ELLIPSE", (1, 2, 3, 4), 1, 1, 1), "2 points"),
        (scoord(OUTLINE, "CIRCLE", (1, 2, 1, 2), 1, 1, 1), "half axes"),
    ],
)
def test_a_hostile_region_costs_itself_only(bad: Dataset, why: str, write: Any, bring: Any, mask_of: Any) -> None:
    done = bring("dicom_sr", write(finding(bad, scoord(OUTLINE, "POLYLINE", SQUARE, 1, 1, 1))), rules=("*=benign",))
    assert [why in problem.message for problem in done.problems] == [True]
    assert mask_of(done, "left", "benign").sum() == 900


def test_regions_of_no_image_and_a_tree_without_end(write: Any, bring: Any) -> None:
    nowhere = finding(scoord(OUTLINE, "POLYLINE", SQUARE, 9, 9, 9))
    assert not bring("dicom_sr", write(nowhere), rules=("*=benign",)).findings
    deep = finding()
    for _ in range(200):
        deep = finding(deep)
    assert "levels deep" in bring("dicom_sr", write(deep, name="deep")).problems[0].message


def test_a_report_of_measurements_as_highdicom_writes_it(study: Any, bring: Any, mask_of: Any) -> None:
    hd: Any = pytest.importorskip("highdicom")
    source = pydicom.dcmread(study.image("left"))
    region = hd.sr.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(SQUARE, float).reshape(-1, 2),
        source_image=hd.sr.SourceImageForRegion.from_source_image(source),
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(hd.UID(), "lesion 1"),
        referenced_region=region,
        finding_type=codes.SCT.Mass,
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(
                hd.sr.CodedConcept("1", "99X", "Pathology"), hd.sr.CodedConcept("2", "99X", "Malignant")
            )
        ],
    )
    observer = hd.sr.ObserverContext(codes.DCM.Person, hd.sr.PersonObserverIdentifyingAttributes(name="Reader^One"))
    report = hd.sr.Comprehensive3DSR(
        evidence=[source],
        content=hd.sr.MeasurementReport(
            observation_context=hd.sr.ObservationContext(observer_person_context=observer),
            procedure_reported=hd.sr.CodedConcept("71651007", "SCT", "Mammography"),
            imaging_measurements=[group],
        ),
        series_number=1,
        series_instance_uid=hd.UID(),
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Maker",
    )
    report.save_as(study.folder / "report")
    done = bring("dicom_sr", study.folder)
    expected = np.zeros((160, 128), bool)
    expected[20:50, 10:40] = True
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), expected)
    assert done.findings[0]["label"] == "Mass"
    assert "Pathology: Malignant" in done.findings[0]["said"]
    assert "Reader" not in str(done.findings)
