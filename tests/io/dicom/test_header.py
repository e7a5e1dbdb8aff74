"""What a header says: fields, contradictions, the habits of data sets and vendors, damage, and no patient in any text."""

import dataclasses
import logging
import random
import struct
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, uid
from pydicom.dataset import FileMetaDataset

from mammoseg.io.dicom.header import DicomHeader, DicomReadError, read_header
from mammoseg.records.source import DicomIdentity

Write = Callable[..., Path]


def coded(code: str, modifiers: tuple[str, ...] = (), scheme: str = "SCT") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, "meaning"
    if modifiers:
        item.ViewModifierCodeSequence = [coded(modifier, (), scheme) for modifier in modifiers]
    return item


def mammogram() -> Dataset:
    """A left CC as a machine would write it."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3.1"
    dataset.StudyDate = "20240131"
    dataset.Modality = "MG"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer, dataset.ManufacturerModelName = "Maker", "Model"
    dataset.SeriesDescription = "L CC"
    dataset.PatientID = "P1"
    dataset.BodyPartExamined = "BREAST"
    dataset.EstimatedRadiographicMagnificationFactor = 1.0
    dataset.ImagerPixelSpacing = [0.1, 0.1]
    dataset.ViewPosition = "CC"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.0"
    dataset.PatientOrientation = ["A", "R"]
    dataset.ImageLaterality = "L"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = 80, 64
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.BurnedInAnnotation = "NO"
    dataset.BreastImplantPresent, dataset.PartialView = "NO", "NO"
    dataset.ViewCodeSequence = [coded("399162004")]
    dataset.PixelData = bytes(2 * 80 * 64)
    dataset["PixelData"].VR = "OW"
    return dataset


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(dataset: Dataset | None = None, syntax: str = uid.ExplicitVRLittleEndian, **change: Any) -> Path:
        """The mammogram with elements changed, or taken out (None)."""
        dataset = dataset or mammogram()
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.dcm"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values against the rules
            for keyword, value in change.items():
                if value is None:
                    delattr(dataset, keyword)
                else:
                    setattr(dataset, keyword, value)
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", mammogram().SOPClassUID)
            dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1"
            implicit = syntax == uid.ImplicitVRLittleEndian
            dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
        return path

    return save


def test_everything(write: Write) -> None:
    assert read_header(write()) == DicomHeader(
        kind="mammogram",
        usable=True,
        why_not=None,
        laterality="L",
        view="CC",
        flags=(),
        pixel_mm=0.1,
        pixel_spacing_mm=None,
        horizontal_flip=False,
        rows=80,
        columns=64,
        bits_stored=12,
        bits_allocated=16,
        signed=False,
        photometric="MONOCHROME2",
        transfer_syntax="Explicit VR Little Endian",
        manufacturer="Maker",
        model="Model",
        study_date="2024-01-31",
        patient_id="P1",
        study_uid="1.2.3",
        series_uid="1.2.3.0",
        sop_uid="1.2.3.1",
        burned_in=False,
        findings=(),
        identity=DicomIdentity(uid.DigitalMammographyXRayImageStorageForPresentation, "1.2.3.1", "1.2.3.0", "1.2.3"),
    )
    assert read_header(write(syntax=uid.ImplicitVRLittleEndian)) == dataclasses.replace(
        read_header(write()), transfer_syntax="Implicit VR Little Endian"
    )


def test_almost_nothing(write: Write) -> None:
    dataset = Dataset()
    dataset.Modality = "MG"
    dataset.Rows, dataset.Columns, dataset.BitsAllocated = 80, 64, 16
    dataset.PixelData = bytes(2 * 80 * 64)
    dataset["PixelData"].VR = "OW"
    header = read_header(write(dataset))
    assert header.usable
    unknown = {f.name for f in dataclasses.fields(header) if getattr(header, f.name) is None} - {"why_not"}
    assert unknown == {
        *("laterality", "view", "pixel_mm", "pixel_spacing_mm", "horizontal_flip", "bits_stored", "signed"),
        *("photometric", "manufacturer", "model", "study_date", "patient_id", "study_uid", "series_uid", "sop_uid"),
        *("burned_in", "identity"),
    }
    assert {"the laterality is not stated", "the view is not stated"} <= set(header.findings)


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"ViewCodeSequence": [coded("R-10226", (), "SNM3")], "ViewPosition": ""}, "view", "MLO"),
        ({"ViewCodeSequence": [coded("R-10226", (), "SRT")], "ViewPosition": "MLO"}, "view", "MLO"),
        ({"ViewCodeSequence": None, "ViewPosition": "RMLO"}, "view", "MLO"),
        ({"ViewCodeSequence": None, "ViewPosition": None}, "view", "CC"),
        ({"ViewCodeSequence": [coded("399368009", ("399011000",))]}, "view", "AT"),
        ({"ViewCodeSequence": [coded("399162004", ("399209000",))]}, "flags", ("implant_displaced",)),
        ({"ViewModifierCodeSequence": [coded("R-102D7")]}, "flags", ("spot",)),
        ({"PaddleDescription": "10 cm spot"}, "flags", ("spot",)),
        ({"BreastImplantPresent": "YES"}, "flags", ("implant",)),
        ({"PartialView": "YES"}, "flags", ("partial",)),
        ({"EstimatedRadiographicMagnificationFactor": 1.5}, "flags", ("magnification",)),
        ({"SeriesDescription": "Stereotactic"}, "flags", ("stereo",)),
        ({"ImageLaterality": "", "Laterality": "R", "SeriesDescription": ""}, "laterality", "R"),
        ({"ImageLaterality": "", "ViewPosition": "RCC", "SeriesDescription": ""}, "laterality", "R"),
        ({"ImageLaterality": "B", "SeriesDescription": ""}, "laterality", None),
        ({"ImageLaterality": None, "SeriesDescription": "", "BodyPartExamined": "RIGHT BREAST"}, "laterality", "R"),
        ({"ImagerPixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 2}, "pixel_mm", 0.05),
        ({"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": [0.05, 0.05]}, "pixel_mm", 0.05),
        ({"ImagerPixelSpacing": None, "PixelSpacing": [0.07, 0.07]}, "pixel_mm", None),
        ({"PixelSpacing": [0.07, 0.07]}, "pixel_spacing_mm", 0.07),
        ({"PatientOrientation": ["P", "R"]}, "horizontal_flip", True),
        ({"PatientOrientation": ["P", "L"]}, "horizontal_flip", None),
        ({"PatientOrientation": None}, "horizontal_flip", None),
        ({"PixelRepresentation": 1}, "signed", True),
        ({"BurnedInAnnotation": "YES"}, "burned_in", True),
        ({"BurnedInAnnotation": None}, "burned_in", None),
        ({"StudyDate": "2024.01.31"}, "study_date", "2024-01-31"),
        ({"StudyDate": "20241301"}, "study_date", None),
        ({"StudyDate": ""}, "study_date", None),
        ({"PatientID": "Å1"}, "patient_id", "Å1"),
        ({"Modality": ["MG", "CR"]}, "kind", "mammogram"),
        ({"ImageLaterality": ["L", "L"]}, "laterality", "L"),
    ],
)
def test_field(write: Write, change: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read_header(write(**change)), field) == value


def test_laterality_of_frames_and_of_regions(write: Write) -> None:
    frame, group, region = Dataset(), Dataset(), coded("76752008")
    frame.FrameLaterality, group.FrameAnatomySequence = "R", [frame]
    bare: dict[str, Any] = {"ImageLaterality": None, "SeriesDescription": "", "PatientOrientation": None}
    assert read_header(write(SharedFunctionalGroupsSequence=[group], **bare)).laterality == "R"
    region.AnatomicRegionModifierSequence = [coded("G-A101", (), "SRT")]
    assert read_header(write(AnatomicRegionSequence=[region], **bare)).laterality == "L"
    structure = coded("76752008")
    structure.PrimaryAnatomicStructureModifierSequence = [coded("24028007")]
    assert read_header(write(PrimaryAnatomicStructureSequence=[structure], **bare)).laterality == "R"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"ViewPosition": "MLO"}, "View Code Sequence says CC, View Position says MLO"),
        ({"SeriesDescription": "L MLO"}, "the header says CC, a description says MLO"),
        ({"Laterality": "R"}, "Image Laterality says L, Laterality says R"),
        ({"ViewPosition": "RCC"}, "Image Laterality says L, the text that names the view says R"),
        ({"ImageLaterality": "R", "SeriesDescription": "CC"}, "Patient Orientation is the one of a L breast"),
        ({"ImagerPixelSpacing": [0.0, 0.0]}, "Imager Pixel Spacing is no size of a pixel"),
        ({"StudyDate": "99999999"}, "the study date is no date"),
        ({"BurnedInAnnotation": "YES"}, "texts may be burned into the pixels"),
        ({"Rows": 20, "PixelData": bytes(2 * 80 * 64)}, "only 20 x 64 pixels"),
        ({"BitsStored": 20}, "bits stored and bits allocated do not fit"),
        ({"BitsAllocated": 0}, "BitsAllocated is no positive number"),
        ({"syntax": "1.2.3.4"}, "the transfer syntax is unknown"),
        ({"Modality": None}, "the modality is missing"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "Image Type is SECONDARY"),
        ({"SeriesDescription": "L CC s/p biopsy"}, "an earlier biopsy"),
        (
            {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"},
            "Presentation LUT Shape contradicts the Photometric Interpretation, which is used",
        ),
        ({"PresentationLUTShape": "INVERSE"}, "Presentation LUT Shape contradicts the Photometric Interpretation"),
    ],
)
def test_contradictions_and_remarks_are_findings(write: Write, change: dict[str, Any], finding: str) -> None:
    header = read_header(write(**change))
    assert header.usable
    assert any(finding in found for found in header.findings), header.findings


@pytest.mark.parametrize(
    ("change", "kind", "why_not"),
    [
        ({"SOPClassUID": uid.DigitalMammographyXRayImageStorageForProcessing}, "for processing", "FOR PROCESSING"),
        ({"SeriesDescription": "L_CC_C-View"}, "synthetic 2D", "computed"),
        ({"NumberOfFrames": 3}, "multi-frame", "3 frames"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour", "colour"),
        ({"ViewCodeSequence": [coded("G-8310", (), "SRT")]}, "specimen", "specimen"),
        ({"BodyPartExamined": "PHANTOM"}, "quality control", "quality control"),
        ({"SeriesDescription": "Flat_Field"}, "quality control", "quality control"),
        ({"ProtocolName": "ACR Phantom"}, "quality control", "quality control"),
        ({"PaddleDescription": "BIOPSY 5X5"}, "stereo or biopsy", "biopsy"),
        ({"ViewName": "Stereo"}, "stereo or biopsy", "biopsy"),
        ({"ProtocolName": "STEREO"}, "stereo or biopsy", "biopsy"),
        ({"Rows": None}, "mammogram", "no size"),
        ({"Rows": 0}, "mammogram", "no size"),
        ({"Rows": 65535, "Columns": 65535}, "mammogram", "150 million"),
        ({"PixelData": None}, "mammogram", "no pixels"),
        ({"Rows": 81}, "mammogram", "cut short"),
    ],
)
def test_not_usable(write: Write, change: dict[str, Any], kind: str, why_not: str) -> None:
    header = read_header(write(**change))
    assert (header.kind, header.usable) == (kind, False)
    assert why_not in (header.why_not or "")


ORDER = {"SeriesDescription": "MAMMO BIOPSY LEFT W SPECIMEN AND CLIP", "ImagerPixelSpacing": [2.5, 2.5]}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "mammogram"),
        ({"ViewCodeSequence": None, "ViewPosition": "MLO"}, "mammogram"),
        ({"ImagerPixelSpacing": None}, "mammogram"),
        ({"ProtocolName": "MAMMO BIOPSY LEFT W SPECIMEN AND CLIP"}, "mammogram"),
        ({"ViewCodeSequence": None, "ViewPosition": ""}, "specimen"),
        ({"ViewCodeSequence": [coded("127457009")]}, "specimen"),
        ({"ImagerPixelSpacing": [0.8, 0.8]}, "specimen"),  # 51 x 64 mm, the field of a biopsy unit
        ({"EstimatedRadiographicMagnificationFactor": 1.8}, "specimen"),
        ({"PaddleDescription": "spot"}, "specimen"),
        ({"PartialView": "YES"}, "specimen"),
        ({"AcquisitionDeviceProcessingDescription": "SPECIMEN"}, "specimen"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "PREFIRE_PLUS"]}, "stereo or biopsy"),
    ],
    ids=str,
)
def test_a_series_that_repeats_the_ordered_procedure(write: Write, change: dict[str, Any], kind: str) -> None:
    """The image's own codes say what it shows."""
    header = read_header(write(**(ORDER | change)))
    assert header.kind == kind
    assert header.usable == (kind == "mammogram")
    assert any("the codes are believed" in finding for finding in header.findings) == header.usable


def test_cut_short_by_one_byte(write: Write) -> None:
    path = write()
    path.write_bytes(path.read_bytes()[:-1])
    assert read_header(path).why_not == "the file is cut short: pixels are missing"


def test_film_scan_of_a_public_set(write: Write) -> None:
    """CBIS-DDSM: secondary captures of modality MG, with the view in Patient Orientation and masks beside the films."""
    film = {"SOPClassUID": uid.SecondaryCaptureImageStorage, "ConversionType": "WSD", "PatientOrientation": "MLO"}
    missing = dict.fromkeys(
        ("PresentationIntentType", "ViewCodeSequence", "ViewPosition", "ImageLaterality", "ImagerPixelSpacing")
    )
    header = read_header(write(**film, **missing, Laterality="R", SeriesDescription="full mammogram images"))
    assert (header.kind, header.usable, header.laterality, header.view) == ("film scan", True, "R", "MLO")
    assert header.horizontal_flip is None
    header = read_header(write(**film, **missing, SeriesDescription="ROI mask images"))
    assert (header.kind, header.usable) == ("secondary capture", False)


def test_captures_of_one_maker(write: Write) -> None:
    """Frames in a format of its own are known by private elements, also where a view is stated."""
    capture = {
        "SOPClassUID": uid.SecondaryCaptureImageStorage,
        "ConversionType": "WSD",
        "Manufacturer": "HOLOGIC, Inc.",
    }
    dataset = mammogram()
    dataset.private_block(0x7E01, "HOLOGIC, Inc.", create=True).add_new(2, "SH", "10")
    assert read_header(write(dataset, **capture)).kind == "tomosynthesis"
    assert read_header(write(**capture)).kind == "film scan"
    assert read_header(write(**capture, BurnedInAnnotation="YES")).kind == "secondary capture"
    unseen = dict.fromkeys(("ViewCodeSequence", "ViewPosition", "SeriesDescription"))
    assert read_header(write(**capture, **unseen)).kind == "tomosynthesis"
    assert read_header(write(**capture | {"ConversionType": "DF"}, **unseen)).kind == "film scan"


def test_header_of_a_public_set_without_modality_and_class(write: Write) -> None:
    """RSNA: the SOP class stands in the file meta information only, if at all."""
    missing = dict.fromkeys(("SOPClassUID", "Modality", "PresentationIntentType", "ViewCodeSequence", "ImageType"))
    header = read_header(write(**missing, PhotometricInterpretation="MONOCHROME1"))
    assert (header.kind, header.usable, header.view) == ("mammogram", True, "CC")
    assert header.findings == ("the modality is missing",)
    path = write(**missing)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.5.1.4.1.1.1.2\0", b"9.8.840.10008.5.1.4.1.1.1.2\0"))
    header = read_header(path)
    assert (header.kind, header.usable) == ("mammogram", True)
    assert any("SOP class is missing or unknown" in finding for finding in header.findings)


SECRET = "Geheim"
PATIENT = {
    "PatientName": f"{SECRET}^Name",
    "PatientID": f"{SECRET}-id",
    "PatientBirthDate": "19370101",
    "PatientAddress": SECRET,
    "OtherPatientIDs": SECRET,
    "PatientComments": SECRET,
    "AccessionNumber": SECRET,
    "ReferringPhysicianName": SECRET,
    "InstitutionName": SECRET,
    "StudyID": SECRET,
    "StudyDescription": SECRET,
    "ImageComments": SECRET,
    "SeriesDescription": SECRET,
    "ProtocolName": SECRET,
    "ViewPosition": SECRET,
    "ImageLaterality": SECRET,
    "PatientOrientation": [SECRET, SECRET],
    "BodyPartExamined": SECRET,
    "StudyDate": SECRET,
    "StudyInstanceUID": f"1.2.{SECRET}",
    "ViewCodeSequence": [coded(SECRET, (SECRET,))],
    "PixelSpacingCalibrationType": SECRET,
    "ImageType": [SECRET, SECRET],
}


@pytest.mark.parametrize("change", [PATIENT, PATIENT | {"Rows": None}, PATIENT | {"SpecificCharacterSet": SECRET}])
def test_no_patient_in_any_text(
    write: Write, change: dict[str, Any], caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    caplog.set_level(logging.DEBUG)
    path = write(**change)
    caplog.clear()
    header = read_header(path)
    assert header.patient_id == f"{SECRET}-id"
    shown = (*map(str, (header, header.findings, header.why_not)), repr(header), caplog.text)
    assert not any(word in text for word in (SECRET, SECRET.upper(), "1937") for text in shown)
    assert not recwarn.list


def test_no_patient_in_texts_about_a_damaged_file(
    write: Write, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """Lengths that swallow what follows: pydicom would quote it as an unknown character set or transfer syntax."""
    caplog.set_level(logging.DEBUG)
    path = write(PatientName=SECRET, AccessionNumber=SECRET)
    whole = path.read_bytes()
    caplog.clear()
    for start in (whole.index(b"\x08\0\x05\0CS"), whole.index(b"\x02\0\x10\0UI"), whole.index(b"\x08\0\x16\0UI")):
        for length in (0x100, 0x7FFE):
            path.write_bytes(whole[: start + 6] + struct.pack("<H", length) + whole[start + 8 :])
            try:
                text = repr(read_header(path))
            except DicomReadError as error:
                text = str(error)
            assert SECRET not in text + caplog.text
    assert not recwarn.list


def mutated(data: bytes, header: int, draw: random.Random) -> bytes:
    """Damage of one kind: cut, flipped bytes, an element taken out, twice, with another representation or length."""
    starts = [at for at in range(132, header) if data[at + 4 : at + 6].isalpha() and data[at : at + 2] in GROUPS]
    at = draw.choice(starts)
    kind = draw.randrange(7)
    if kind == 0:
        return data[: draw.randrange(header)]
    if kind == 1:
        changed = bytearray(data)
        for _ in range(draw.randrange(1, 20)):
            changed[draw.randrange(header)] = draw.randrange(256)
        return bytes(changed)
    if kind == 2:
        return (
            data[: at + 4]
            + draw.choice((b"SQ", b"UN", b"OB", b"US", b"FD", b"LO", b"PN", b"??", b"\0\0"))
            + data[at + 6 :]
        )
    if kind == 3:
        return data[: at + 6] + struct.pack("<H", draw.choice((0, 1, 3, 7, 255, 65535))) + data[at + 8 :]
    if kind == 4:
        return (
            data[: at + 8]
            + struct.pack("<L", draw.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)))
            + data[at + 12 :]
        )
    others = [start for start in starts if start > at] or [header]
    if kind == 5:
        return data[:at] + data[others[0] :]
    return data[: others[0]] + data[at:]


GROUPS = [struct.pack("<H", group) for group in (0x02, 0x08, 0x10, 0x18, 0x20, 0x28, 0x54)]


@pytest.mark.parametrize("seed", range(4))
def test_mutations_give_a_header_or_the_error(write: Write, seed: int, recwarn: pytest.WarningsRecorder) -> None:
    path = write(ViewCodeSequence=[coded("399162004", ("399209000",))], PatientName=SECRET)
    whole = path.read_bytes()
    header = whole.index(b"\xe0\x7f\x10\0")
    draw = random.Random(seed)
    outcomes = []
    for _ in range(150):
        path.write_bytes(mutated(whole, header, draw))
        start = time.process_time()
        try:
            outcome: object = read_header(path)
        except DicomReadError as error:
            outcome = error
        assert time.process_time() - start < 1
        assert SECRET not in str(outcome) + repr(outcome)
        outcomes.append(type(outcome))
    assert not recwarn.list
    assert {DicomHeader, DicomReadError} == set(outcomes)
