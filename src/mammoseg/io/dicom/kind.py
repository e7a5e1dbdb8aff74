"""What kind of object a DICOM file holds, and whether it is a mammogram that can be used.

Usable are plain two-dimensional mammograms FOR PRESENTATION and scans of films. Everything else is refused by its name.
Vendors fill in little of what the standard foresees, so the decision rests on SOP class, Presentation Intent Type,
Image Type (PS3.3 C.8.11.7.1.4), Modality, number of frames and, last, on descriptions.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydicom import uid

_FOR_PRESENTATION = uid.DigitalMammographyXRayImageStorageForPresentation
_FOR_PROCESSING = (
    uid.DigitalMammographyXRayImageStorageForProcessing,
    uid.DigitalXRayImageStorageForProcessing,
    uid.BreastProjectionXRayImageStorageForProcessing,
)
_PROJECTION = uid.BreastProjectionXRayImageStorageForPresentation
_TOMOSYNTHESIS = uid.BreastTomosynthesisImageStorage
_MAMMOGRAPHY = (_FOR_PRESENTATION, _FOR_PROCESSING[0], _FOR_PROCESSING[2], _PROJECTION, _TOMOSYNTHESIS)
_PLAIN_XRAY = (uid.ComputedRadiographyImageStorage, uid.DigitalXRayImageStorageForPresentation, _FOR_PROCESSING[1])
_CAPTURES = (
    uid.SecondaryCaptureImageStorage,
    uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    uid.MultiFrameSingleBitSecondaryCaptureImageStorage,
    uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
)
_POSSIBLE = (*_MAMMOGRAPHY, *_PLAIN_XRAY, *_CAPTURES, uid.CTImageStorage)
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NO_IMAGES = tuple(
    _STORAGE + branch
    for branch in ("9.", "11.", "66", "67", "68.", "88.", "90.", "104.", "200.", "481.3", "481.5", "481.8")
)
_NO_IMAGE_MODALITIES = ("SR", "PR", "KO", "SEG", "REG", "DOC", "PLAN", "HC", "AU", "ECG", "RTPLAN", "RTSTRUCT")
_XRAY_MODALITIES = ("", "MG", "CR", "DX", "RG", "RF", "OT", "CT")

_SYNTHETIC = re.compile(
    r"\b(C[- ]?VIEW|S-?VIEW|G-VIEW|V-?PREVIEW|VOLUME PREVIEW|INTELLIGENT ?2D|INSIGHT ?2D|GENERATED ?2D"
    r"|SYNTH(ETI[CS]\w*|ESI[SZ]ED)?)\b"
)
_SLICES = re.compile(r"TOMOSYN|TOMO (RECON|SLAB|SLICE|PROJ)|\bDBT\b")
_STEREO = re.compile(r"\b(STEREO\w*|PRE-?FIRE|POST-?FIRE|PRF|POF)\b")
_BIOPSY = re.compile(r"\bBIOPS")
_PAST_BIOPSY = re.compile(  # "s/p stereo core biopsy"; behind POST fewer words, since "post contrast biopsy" is none
    r"\b((S/P|STATUS[ -]POST|PRIOR(?! TO\b)|PREVIOUS|AFTER|HX|HISTORY|OLD)[^\w|]+(\w+[^\w|]+){0,5}"
    r"|POST[^\w|]+(STEREO\w*[^\w|]+)?)BIOPS\w*"
)
_ORDER = re.compile(r"\b(SPECIMEN|CLIP|MARKER|PLACEMENT|WIRE|SEED)")
_MORE_OF_AN_ORDER = re.compile(r"\b(STEREO\w*|BIOPS\w*|BX|LOC|LOCALI[SZ]\w*|NEEDLE|EXCISION\w*|LUMPECTOMY|WITH|W)\b")
"""Words of the first kind beside one of the second: the procedure that was ordered, which every image of the series tells."""
_PHANTOM = re.compile(r"\b(PHANTOM|FLAT[ -]?FIELD|QC)\b")
_CONTRAST = re.compile(r"\b(RECOMBINED|I-VIEW)\b")
_THREE_D = re.compile(r"\b(TOMO|3-?D|INSIGHT)\b")
_SCREENSHOT = re.compile(r"SCREEN[ _-]?(SHOT|SAVE|CAPTURE)")
_CROP = re.compile(r"\bMASKS?\b|\bCROPPED\b")
_BIOPSY_TYPES = ("PREFIRE", "POSTFIRE", "POSTBIOPSY", "POSTMARKER", "TOMO_SCOUT")
_TOMOSYNTHESIS_TYPES = ("TOMO", "TOMOSYNTHESIS", "TOMO_PROJ")
_CONTRAST_TYPES = ("SUBTRACTION", "ADDITION", "RECOMBINED", "HIGH_ENERGY")
_SCREENS = {"DV": "a video frame", "DRW": "a drawing", "SD": "a scanned document"}  # Conversion Type


@dataclass(frozen=True)
class Facts:
    """What the decision rests on; texts in capitals, empty where the file is silent."""

    sop_class: str = ""
    modality: str = ""
    intent: str = ""
    """Presentation Intent Type."""
    image_type: tuple[str, ...] = ()
    frames: int = 1
    description: str = ""
    """Descriptions of series, processing and derivation together; no underscores."""
    technique: str = ""
    """Names of view, protocol and paddle together; no underscores. One protocol covers pictures of several kinds."""
    maker: str = ""
    packed: bool = False
    """Hologic's private elements for frames in a format of their own are there."""
    conversion: str = ""
    """Conversion Type of a secondary capture."""
    breast: bool = False
    """Body part, anatomic region, view code or view position speak of a breast."""
    view: str | None = None
    whole_breast: bool = False
    """View code or view position state a projection, no modifier a part of it, and the picture is as large as a detector."""
    quality_control: bool = False
    burned_in: bool = False
    """Texts are in the pixels."""
    colour: bool = False
    has_size: bool = True
    """Rows and Columns are there."""


@dataclass(frozen=True)
class Kind:
    """The answer."""

    name: str
    why_not: str | None
    """None: usable."""
    flags: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()


def classify(facts: Facts) -> Kind:
    """The first rule that applies names the kind."""
    flags = frozenset(_flags(facts))
    refused = next((answer for rule in _RULES if (answer := rule(facts))), None)
    if refused:
        return Kind(*refused, flags)
    film = facts.sop_class in _CAPTURES
    return Kind("film scan" if film else "mammogram", None, flags, tuple(_remarks(facts)))


def _flags(facts: Facts) -> set[str]:
    flags = _special_words(_about_the_image(facts, _texts(facts)))
    if any(value.startswith("STEREO") for value in facts.image_type):
        flags.add("stereo")
    if any(value.startswith(_BIOPSY_TYPES) for value in facts.image_type):
        flags.add("biopsy")
    if facts.view == "SPECIMEN" or "SPECIMEN" in _about_the_image(facts, facts.description):
        flags.add("specimen")
    return flags


def _special_words(texts: str) -> set[str]:
    """Flags that texts speak of, unless in the past."""
    now = _PAST_BIOPSY.sub("", texts)
    return {flag for flag, words in (("stereo", _STEREO), ("biopsy", _BIOPSY)) if words.search(now)}


def _about_the_image(facts: Facts, texts: str) -> str:
    """Descriptions without those of the ordered procedure, where codes say that the image is a view of the breast."""
    return " | ".join(text for text in texts.split(" | ") if not (facts.whole_breast and _is_order(text)))


def _is_order(text: str) -> bool:
    return bool(_ORDER.search(text) and _MORE_OF_AN_ORDER.search(text))


def _texts(facts: Facts) -> str:
    return f"{facts.description} | {facts.technique}"


def _remarks(facts: Facts) -> list[str]:
    """Findings on a mammogram that is usable although its header is not as the standard has it."""
    remarks = []
    if facts.sop_class in _PLAIN_XRAY:
        remarks.append("stored as plain radiograph, not as mammogram")
    elif facts.sop_class not in _CAPTURES and facts.sop_class != _FOR_PRESENTATION:
        remarks.append("the SOP class is missing or unknown: taken as a mammogram by the rest of the header")
    if facts.sop_class not in _CAPTURES and facts.modality != "MG":
        remarks.append("the modality is missing" if not facts.modality else "the modality is not MG")
    if not facts.intent and facts.sop_class not in (*_CAPTURES, _FOR_PRESENTATION):
        remarks.append("whether the picture is for presentation is not stated: taken as such")
    if facts.sop_class in _CAPTURES and facts.conversion != "DF":
        remarks.append("a secondary capture that is not marked as digitised film: taken as film scan")
    if not facts.breast and facts.modality != "MG" and facts.sop_class not in _MAMMOGRAPHY:
        remarks.append("nothing says that the picture shows a breast")
    if "LOW_ENERGY" in facts.image_type or "POST_CONTRAST" in facts.image_type:
        remarks.append("taken with contrast agent")
    if facts.sop_class not in _CAPTURES and facts.image_type[1:2] == ("SECONDARY",):
        remarks.append("Image Type is SECONDARY, made after the exposure: check that nothing is drawn into the picture")
    return [*remarks, *_remarks_on_texts(facts)]


def _remarks_on_texts(facts: Facts) -> Iterator[str]:
    """What descriptions say that the image is not refused for."""
    texts = _texts(facts)
    if "TOMO_2D" in facts.image_type or "COMBO" in facts.description:
        yield "taken together with tomosynthesis: check that it is not a synthetic picture"
    elif _THREE_D.search(facts.description):
        yield "a description speaks of tomosynthesis: check that it is no slice and no synthetic picture"
    orders = " | ".join(filter(_is_order, texts.split(" | "))) if facts.whole_breast else ""
    if _special_words(orders) or "SPECIMEN" in orders:
        yield "a description speaks of a biopsy or specimen, the codes of a view of the breast: the codes are believed"
    if _PAST_BIOPSY.search(texts):
        yield "a description speaks of an earlier biopsy: check that it was not taken during one"


_Answer = tuple[str, str] | None


def _not_an_image(facts: Facts) -> _Answer:
    directory = facts.sop_class == uid.MediaStorageDirectoryStorage
    if directory or facts.sop_class.startswith(_NO_IMAGES) or facts.modality in _NO_IMAGE_MODALITIES:
        return "not an image", "the object holds no picture (report, markings, presentation state or the like)"
    if not facts.has_size and facts.sop_class not in _POSSIBLE:
        return "not an image", "the header states no size of a picture"
    return None


def _not_mammography(facts: Facts) -> _Answer:
    if facts.sop_class in _MAMMOGRAPHY:
        return None
    film = facts.sop_class in _CAPTURES and facts.modality == "RG"
    speaks = facts.modality == "MG" or film or facts.breast or _SLICES.search(facts.description)
    if facts.modality not in _XRAY_MODALITIES or not speaks:
        return "not mammography", "the modality is not mammography, and nothing else speaks of a mammogram"
    if facts.sop_class.startswith(_STORAGE) and facts.sop_class not in _POSSIBLE:
        return "not mammography", "the SOP class is one of another modality"
    return None


def _for_processing(facts: Facts) -> _Answer:
    if facts.sop_class in _FOR_PROCESSING or facts.intent == "FOR PROCESSING":
        return "for processing", "raw data FOR PROCESSING; the picture FOR PRESENTATION is needed"
    return None


def _synthetic(facts: Facts) -> _Answer:
    if "GENERATED_2D" in facts.image_type or _SYNTHETIC.search(facts.description):
        return "synthetic 2D", "computed from tomosynthesis, not exposed"
    return None


def _tomosynthesis(facts: Facts) -> _Answer:
    volume = facts.sop_class in (_TOMOSYNTHESIS, uid.CTImageStorage)
    stated = any(value in _TOMOSYNTHESIS_TYPES for value in facts.image_type) or _SLICES.search(facts.description)
    if volume or stated or _packed(facts):
        return "tomosynthesis", "tomosynthesis, not a plain mammogram"
    return None


def _packed(facts: Facts) -> bool:
    """Projections or slices of Hologic in a secondary capture, and none of the other things that its machines capture."""
    capture = facts.sop_class == _CAPTURES[0] and "HOLOGIC" in facts.maker
    return capture and facts.conversion != "DF" and not _capture(facts) and (facts.packed or facts.view is None)


def _special(facts: Facts) -> _Answer:
    flags = _flags(facts)
    if "specimen" in flags:
        return "specimen", "a specimen, not a breast"
    if flags:
        return "stereo or biopsy", "a picture taken for a biopsy"
    if any(value in _CONTRAST_TYPES for value in facts.image_type) or _CONTRAST.search(facts.description):
        return "contrast-enhanced", "computed from two energies or taken with high energy"
    if facts.quality_control or _PHANTOM.search(_texts(facts)):
        return "quality control", "a picture taken for quality control"
    return None


def _several_frames(facts: Facts) -> _Answer:
    if facts.frames > 1:
        return "multi-frame", f"{facts.frames} frames; one mammogram in a file is needed"
    if facts.sop_class == _PROJECTION:
        return "breast projection", "an enhanced object, whose settings for display are not read"
    return None


def _capture(facts: Facts) -> _Answer:
    if any(_SCREENSHOT.search(text) for text in (facts.description, *facts.image_type)):
        return "secondary capture", "a picture of a screen"
    if facts.colour:
        return ("secondary capture" if facts.sop_class in _CAPTURES else "colour"), "a colour picture"
    if facts.sop_class not in _CAPTURES:
        return None
    if facts.conversion in _SCREENS:
        return "secondary capture", f"a secondary capture of {_SCREENS[facts.conversion]}"
    if facts.modality not in ("MG", "RG", "") and facts.conversion != "DF":
        return "secondary capture", "a secondary capture that is not said to be a scanned film"
    if facts.burned_in and facts.conversion != "DF":  # on films it is the label
        return "secondary capture", "texts are burned into it, and nothing says that it is a scanned film"
    if _CROP.search(facts.description):
        return "secondary capture", "a mask or a cutout, not a whole mammogram"
    return None


_RULES: tuple[Callable[[Facts], _Answer], ...] = (
    _not_an_image,
    _not_mammography,
    _for_processing,
    _synthetic,
    _tomosynthesis,
    _special,
    _several_frames,
    _capture,
)
