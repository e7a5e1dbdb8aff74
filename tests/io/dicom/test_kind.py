"""Which objects are usable mammograms, and by which name the others are refused."""

from dataclasses import replace
from typing import Any

import pytest
from pydicom import uid

from mammoseg.io.dicom.kind import Facts, Kind, classify

FFDM = Facts(
    sop_class=uid.DigitalMammographyXRayImageStorageForPresentation,
    modality="MG",
    intent="FOR PRESENTATION",
    image_type=("ORIGINAL", "PRIMARY", ""),
    breast=True,
    view="CC",
)
SCAN = Facts(sop_class=uid.SecondaryCaptureImageStorage, modality="MG", conversion="DF", breast=True)
RAW = uid.DigitalMammographyXRayImageStorageForProcessing
SLICES = uid.BreastTomosynthesisImageStorage
C_VIEW = ("DERIVED", "PRIMARY", "TOMO", "GENERATED_2D", "", "", "", "", "150000")


def test_plain_mammogram() -> None:
    assert classify(FFDM) == Kind("mammogram", None)


def test_digitised_film() -> None:
    assert classify(SCAN) == Kind("film scan", None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sop_class": RAW, "intent": "FOR PROCESSING"}, "for processing"),
        ({"sop_class": RAW, "intent": ""}, "for processing"),
        ({"intent": "FOR PROCESSING"}, "for processing"),
        ({"sop_class": uid.DigitalXRayImageStorageForProcessing}, "for processing"),
        ({"sop_class": uid.BreastProjectionXRayImageStorageForProcessing, "frames": 15}, "for processing"),
        ({"sop_class": SLICES, "frames": 60}, "tomosynthesis"),
        ({"sop_class": SLICES, "image_type": C_VIEW}, "synthetic 2D"),
        ({"sop_class": uid.CTImageStorage, "modality": "MG"}, "tomosynthesis"),
        (
            {"sop_class": uid.CTImageStorage, "modality": "CT", "breast": False, "description": "R CC TOMOSYNTHESIS"},
            "tomosynthesis",
        ),
        ({"image_type": ("DERIVED", "PRIMARY", "TOMOSYNTHESIS", "NONE")}, "tomosynthesis"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "TOMO_PROJ")}, "tomosynthesis"),
        ({"description": "L CC TOMOSYNTHESIS PROJECTION"}, "tomosynthesis"),
        ({"image_type": C_VIEW}, "synthetic 2D"),
        ({"description": "L MLO C-VIEW"}, "synthetic 2D"),
        ({"description": "R CC INTELLIGENT 2D"}, "synthetic 2D"),
        ({"description": "INSIGHT 2D | L CC"}, "synthetic 2D"),
        ({"description": "V-PREVIEW RCC"}, "synthetic 2D"),
        ({"description": "S-VIEW"}, "synthetic 2D"),
        ({"description": "SYNTHETIC MAMMOGRAM"}, "synthetic 2D"),
        ({"description": "SYNTHESIZED 2D"}, "synthetic 2D"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "STEREO_MINUS")}, "stereo or biopsy"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "PREFIRE_PLUS")}, "stereo or biopsy"),
        ({"description": "STEREOTACTIC"}, "stereo or biopsy"),
        ({"view": "SPECIMEN"}, "specimen"),
        ({"description": "SPECIMEN RADIOGRAPHY"}, "specimen"),
        ({"image_type": ("DERIVED", "PRIMARY", "POST_CONTRAST", "SUBTRACTION")}, "contrast-enhanced"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "POST_CONTRAST", "", "HIGH_ENERGY")}, "contrast-enhanced"),
        ({"image_type": ("DERIVED", "PRIMARY"), "description": "L CC CESM RECOMBINED"}, "contrast-enhanced"),
        ({"description": "R CC I-VIEW"}, "contrast-enhanced"),
        ({"quality_control": True}, "quality control"),
        ({"description": "ACR PHANTOM"}, "quality control"),
        ({"description": "FLAT FIELD L CC"}, "quality control"),
        ({"description": "WEEKLY QC"}, "quality control"),
        ({"technique": "CC | PHANTOM"}, "quality control"),
        ({"technique": "| | BIOPSY 5X5"}, "stereo or biopsy"),
        ({"technique": "STEREO"}, "stereo or biopsy"),
        ({"description": "BIOPSY"}, "stereo or biopsy"),
        ({"description": "PRIOR TO BIOPSY"}, "stereo or biopsy"),
        ({"description": "POST CONTRAST BIOPSY"}, "stereo or biopsy"),
        ({"description": "POST-FIRE BIOPSY"}, "stereo or biopsy"),
        ({"description": "S/P BIOPSY, STEREO SCOUT"}, "stereo or biopsy"),
        ({"description": "OLD CLIP | STEREO BIOPSY"}, "stereo or biopsy"),
        ({"description": "L CC", "image_type": ("DERIVED", "SECONDARY", "SCREEN SAVE")}, "secondary capture"),
        ({"frames": 2}, "multi-frame"),
        ({"sop_class": uid.BreastProjectionXRayImageStorageForPresentation}, "breast projection"),
        ({"colour": True}, "colour"),
        ({"sop_class": uid.MammographyCADSRStorage, "modality": "SR"}, "not an image"),
        ({"sop_class": uid.GrayscaleSoftcopyPresentationStateStorage}, "not an image"),
        ({"sop_class": uid.KeyObjectSelectionDocumentStorage}, "not an image"),
        ({"sop_class": uid.SegmentationStorage}, "not an image"),
        ({"sop_class": "1.2.840.10008.1.3.10"}, "not an image"),
        ({"sop_class": "", "modality": "PR"}, "not an image"),
        ({"sop_class": "1.2.3", "has_size": False}, "not an image"),
        ({"sop_class": uid.UltrasoundImageStorage, "modality": "US"}, "not mammography"),
        ({"sop_class": uid.MRImageStorage, "modality": "MR"}, "not mammography"),
        ({"sop_class": uid.UltrasoundImageStorage, "modality": "MG"}, "not mammography"),
        (
            {"sop_class": uid.DigitalXRayImageStorageForPresentation, "modality": "DX", "breast": False},
            "not mammography",
        ),
        ({"sop_class": uid.CTImageStorage, "modality": "CT", "breast": False}, "not mammography"),
        ({"sop_class": "", "modality": "", "breast": False}, "not mammography"),
    ],
)
def test_refused(change: dict[str, Any], kind: str) -> None:
    answer = classify(replace(FFDM, **change))
    assert answer.name == kind
    assert answer.why_not


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"modality": "US"}, "not mammography"),
        ({"modality": "OT", "conversion": "WSD"}, "secondary capture"),
        ({"conversion": "SD"}, "secondary capture"),
        ({"colour": True}, "secondary capture"),
        ({"description": "ROI MASK IMAGES"}, "secondary capture"),
        ({"description": "CROPPED IMAGES"}, "secondary capture"),
        ({"description": "SCREENSHOT"}, "secondary capture"),
        ({"conversion": "WSD", "description": "SCREEN SAVE", "view": "CC"}, "secondary capture"),
        ({"conversion": "WSD", "image_type": ("DERIVED", "SECONDARY", "SCREEN_CAPTURE")}, "secondary capture"),
        ({"conversion": "WSD", "burned_in": True}, "secondary capture"),
        ({"conversion": "", "maker": "HOLOGIC, INC."}, "tomosynthesis"),
        ({"conversion": "WSD", "maker": "HOLOGIC, INC.", "packed": True, "view": "CC"}, "tomosynthesis"),
        ({"conversion": "WSD", "maker": "HOLOGIC, INC.", "description": "SCREENSHOT"}, "secondary capture"),
        ({"conversion": "WSD", "maker": "HOLOGIC, INC.", "colour": True}, "secondary capture"),
        ({"conversion": "WSD", "maker": "HOLOGIC, INC.", "burned_in": True}, "secondary capture"),
        ({"frames": 4, "sop_class": uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage}, "multi-frame"),
    ],
)
def test_secondary_capture_refused(change: dict[str, Any], kind: str) -> None:
    assert classify(replace(SCAN, **change)).name == kind


@pytest.mark.parametrize(
    "change",
    [
        {"maker": "HOLOGIC, INC."},
        {"image_type": ("DERIVED", "SECONDARY")},
        {"burned_in": True},  # the label of the film
        {"description": "SCREENING"},
    ],
)
def test_film_of_any_maker(change: dict[str, Any]) -> None:
    assert classify(replace(SCAN, **change)) == Kind("film scan", None)


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"conversion": "WSD", "description": "FULL MAMMOGRAM IMAGES"}, "not marked as digitised film"),
        ({"conversion": "WSD", "maker": "HOLOGIC, INC.", "view": "CC"}, "not marked as digitised film"),
        ({"modality": "RG", "breast": False}, "nothing says that the picture shows a breast"),
    ],
)
def test_film_with_a_remark(change: dict[str, Any], remark: str) -> None:
    answer = classify(replace(SCAN, **change))
    assert (answer.name, answer.why_not) == ("film scan", None)
    assert [remark in finding for finding in answer.findings] == [True]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"modality": ""}, "the modality is missing"),
        ({"modality": "CR"}, "the modality is not MG"),
        ({"sop_class": ""}, "SOP class is missing or unknown"),
        ({"sop_class": "1.2.3.4"}, "SOP class is missing or unknown"),
        ({"sop_class": uid.DigitalXRayImageStorageForPresentation}, "stored as plain radiograph"),
        ({"sop_class": uid.ComputedRadiographyImageStorage}, "stored as plain radiograph"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "POST_CONTRAST", "", "LOW_ENERGY")}, "contrast agent"),
        ({"image_type": ("DERIVED", "PRIMARY", "TOMO_2D", "LEFT")}, "together with tomosynthesis"),
        ({"image_type": ("DERIVED", "PRIMARY", "TOMO_2D"), "description": "TOMO"}, "together with tomosynthesis"),
        ({"description": "R-CC TOMO"}, "speaks of tomosynthesis"),
        ({"description": "R CC 3D SLICES"}, "speaks of tomosynthesis"),
        ({"description": "R CC INSIGHT"}, "speaks of tomosynthesis"),
        ({"image_type": ("DERIVED", "SECONDARY")}, "Image Type is SECONDARY"),
        ({"description": "POST-BIOPSY"}, "an earlier biopsy"),
        ({"description": "POST BIOPSY CLIP"}, "an earlier biopsy"),
        ({"description": "POST STEREOTACTIC BIOPSY"}, "an earlier biopsy"),
        ({"description": "R MLO S/P BIOPSY"}, "an earlier biopsy"),
        ({"description": "STATUS POST CORE NEEDLE BIOPSY"}, "an earlier biopsy"),
        ({"description": "L MLO PRIOR BIOPSY SITE"}, "an earlier biopsy"),
        ({"description": "R ML DIAGNOSTIC AFTER BIOPSY"}, "an earlier biopsy"),
        ({"description": "HX OF LEFT BREAST STEREO BIOPSY"}, "an earlier biopsy"),
        ({"description": "HISTORY: BIOPSIES"}, "an earlier biopsy"),
        ({"description": "PREVIOUS BIOPSY"}, "an earlier biopsy"),
        ({"technique": "| OLD BIOPSY"}, "an earlier biopsy"),
    ],
)
def test_tolerated_with_a_remark(change: dict[str, Any], remark: str) -> None:
    answer = classify(replace(FFDM, **change))
    assert (answer.name, answer.why_not) == ("mammogram", None)
    assert [remark in finding for finding in answer.findings] == [True]
    assert not answer.flags


ORDERS = [
    "MAMMO BIOPSY LEFT W SPECIMEN AND CLIP",
    "MAMMO STEREOTACTIC BX LEFT W SPECIMEN AND CLIP",
    "STEREO BIOPSY WITH CLIP PLACEMENT",
    "NEEDLE LOCALIZATION AND SPECIMEN",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("place", ["description", "technique"])
def test_an_ordered_procedure_says_nothing_about_a_view_of_the_breast(order: str, place: str) -> None:
    """Every image of the series repeats it, and these are often those of the cancers."""
    answer = classify(replace(FFDM, whole_breast=True, **{place: f"{order} | "}))
    assert (answer.name, answer.why_not, answer.flags) == ("mammogram", None, frozenset())
    assert ["the codes are believed" in finding for finding in answer.findings] == [True]
    if place == "description":
        assert classify(replace(FFDM, description=order)).why_not


@pytest.mark.parametrize(
    "change",
    [
        {"description": "SPECIMEN RADIOGRAPHY"},
        {"description": "L SPECIMEN"},
        {"description": f"{ORDERS[0]} | SPECIMEN"},  # of the series, of the processing
        {"view": "SPECIMEN", "description": ORDERS[0]},
        {"image_type": ("ORIGINAL", "PRIMARY", "STEREO_SCOUT"), "description": ORDERS[0]},
        {"image_type": ("ORIGINAL", "PRIMARY", "POSTFIRE"), "description": ORDERS[0]},
        {"technique": "| | BIOPSY 5X5", "description": ORDERS[0]},
        {"description": "BIOPSY"},
        {"description": "STEREO BIOPSY"},
    ],
    ids=str,
)
def test_what_the_image_says_of_itself_counts(change: dict[str, Any]) -> None:
    assert classify(replace(FFDM, whole_breast=True, **change)).name in ("specimen", "stereo or biopsy")


def test_unstated_intent_is_a_remark_only_where_the_class_does_not_say() -> None:
    assert classify(replace(FFDM, intent="")).findings == ()
    answer = classify(replace(FFDM, intent="", sop_class=uid.ComputedRadiographyImageStorage))
    assert any("for presentation is not stated" in finding for finding in answer.findings)


@pytest.mark.parametrize("text", ["R CC VIEW", "MAMMOGRAPHY", "SCREENING", "QCA", "HISTORY OF CANCER", "INSIGHTFUL"])
def test_harmless_words(text: str) -> None:
    assert classify(replace(FFDM, description=text)) == Kind("mammogram", None)


def test_a_protocol_of_both_says_nothing_about_the_picture() -> None:
    assert classify(FFDM) == classify(replace(FFDM, technique="L CC | COMBO TOMO+2D |"))
    assert classify(replace(FFDM, description="ROUTINE3D COMBOHD")).why_not is None


def test_flags() -> None:
    assert classify(replace(FFDM, image_type=("ORIGINAL", "PRIMARY", "STEREO_SCOUT"))).flags == {"stereo"}
    assert classify(replace(FFDM, image_type=("ORIGINAL", "PRIMARY", "POSTFIRE_PLUS"))).flags == {"biopsy"}
    assert classify(replace(FFDM, view="SPECIMEN")).flags == {"specimen"}
