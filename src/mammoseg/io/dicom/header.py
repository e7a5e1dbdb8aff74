"""What a DICOM file says about its mammogram, without its pixels.

Read are only the elements that are needed; name, birth date and accession number of the patient never. A contradiction
is a finding in plain words, which quotes no value but those of fixed lists. `repr` shows nothing that leads to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydicom.uid import UID_dictionary

from mammoseg.io.dicom.display import contradicts
from mammoseg.io.dicom.elements import Elements
from mammoseg.io.dicom.errors import DicomReadError as DicomReadError
from mammoseg.io.dicom.file import DicomFile, open_dicom
from mammoseg.io.dicom.kind import Facts, Kind, classify
from mammoseg.io.dicom.orientation import read_horizontal_flip, read_laterality
from mammoseg.io.dicom.spacing import Spacing, read_spacing
from mammoseg.io.dicom.views import VIEW_OF_CODE, ViewInfo, read_position, resolve
from mammoseg.records.image import MAX_PIXELS, Laterality
from mammoseg.records.source import DicomIdentity

_FEWEST = 64  # rows and columns
_BREAST_CODES = ("76752008", "T-04000", "73056007", "T-04020", "80248007", "T-04030", "63762007", "T-04080")
_SIDE_CODES = {
    **dict.fromkeys(("7771000", "G-A101", "80248007", "T-04030"), "L"),
    **dict.fromkeys(("24028007", "G-A100", "73056007", "T-04020"), "R"),
}
_PARTS = {"spot", "magnification"}
_SMALLEST_DETECTOR_MM = 140  # along its shorter side; detectors of biopsy units have 50 to 100
_TELLING_VIEWS = ("CC", "MLO", "XCC", "XCCL", "XCCM")
_MISSING_SYNTAX = ("not stated", "unknown")


@dataclass(frozen=True)
class DicomHeader:
    """One object. None stands for what the file does not say, or says so that it cannot be used."""

    kind: str
    """mammogram, film scan; not usable: for processing, synthetic 2D, tomosynthesis, secondary capture, ..."""
    usable: bool
    """A plain two-dimensional mammogram FOR PRESENTATION or a film scan, with all of its pixels."""
    why_not: str | None
    laterality: Laterality | None
    view: str | None
    """ML, MLO, LM, LMO, CC, FB, SIO, ISO, XCC, XCCL, XCCM, AT, CV or SPECIMEN."""
    flags: tuple[str, ...]
    """Out of implant, implant_displaced, spot, magnification, partial, specimen, stereo, biopsy, tangential, rolled,
    cleavage, axillary_tail, axillary_tissue, nipple_in_profile, anterior_compression, inframammary_fold; sorted."""
    pixel_mm: float | None
    """Side of a pixel in the breast: Imager Pixel Spacing / magnification, or the size on a scanned film."""
    pixel_spacing_mm: float | None
    """Pixel Spacing, which may be either."""
    horizontal_flip: bool | None
    """As in `records.image.Mammogram`."""
    rows: int | None
    columns: int | None
    bits_stored: int | None
    bits_allocated: int | None
    signed: bool | None
    photometric: str | None
    transfer_syntax: str
    """Its name; "not stated" or "unknown"."""
    manufacturer: str | None
    model: str | None
    study_date: str | None = field(repr=False)
    """YYYY-MM-DD."""
    patient_id: str | None = field(repr=False)
    study_uid: str | None = field(repr=False)
    series_uid: str | None = field(repr=False)
    sop_uid: str | None = field(repr=False)
    burned_in: bool | None
    """Burned In Annotation: whether texts that name the patient may be in the pixels."""
    findings: tuple[str, ...]
    """Contradictions and remarks."""
    identity: DicomIdentity | None = field(default=None, repr=False)
    """The three UIDs with the class of the object, if the file states all of them."""


def read_header(path: Path) -> DicomHeader:
    """Raises DicomReadError if the file is missing, damaged or no DICOM; any readable object gives a header."""
    with open_dicom(path) as file:
        return header_of(file)


def header_of(contents: DicomFile) -> DicomHeader:
    """What the elements of a file say."""
    elements = contents.elements
    findings: list[str] = []
    view = _view(elements)
    spacing = _spacing(elements, "magnification" in view.flags)
    kind = classify(_facts(contents, view, spacing, findings))
    laterality, about_side = read_laterality(_sides(elements), view.side)
    flip, about_flip = read_horizontal_flip(elements.texts("PatientOrientation"), laterality, view.view)
    numbers = {name: _positive(elements, name, findings) for name in ("Rows", "Columns", "BitsStored", "BitsAllocated")}
    why_not = kind.why_not or _no_pixels(contents, numbers, findings)
    representation = elements.integer("PixelRepresentation")
    syntax = _syntax(contents.transfer_syntax)
    if syntax in _MISSING_SYNTAX:
        findings.append(f"the transfer syntax is {syntax}")
    if kind.why_not is None:
        missing = [name for name, value in (("laterality", laterality), ("view", view.view)) if value is None]
        findings += [f"the {name} is not stated" for name in missing]
    if contradicts(elements.code("PresentationLUTShape"), elements.code("PhotometricInterpretation")):
        findings.append("Presentation LUT Shape contradicts the Photometric Interpretation, which is used")
    burned_in = {"YES": True, "NO": False}.get(elements.code("BurnedInAnnotation"))
    if burned_in:
        findings.append("texts may be burned into the pixels")
    return DicomHeader(
        kind=kind.name,
        usable=why_not is None,
        why_not=why_not,
        laterality=laterality,
        view=view.view,
        flags=tuple(sorted(_flags(elements, view, kind, spacing))),
        pixel_mm=spacing.pixel_mm,
        pixel_spacing_mm=spacing.pixel_spacing_mm,
        horizontal_flip=flip,
        rows=numbers["Rows"],
        columns=numbers["Columns"],
        bits_stored=numbers["BitsStored"],
        bits_allocated=numbers["BitsAllocated"],
        signed=None if representation is None else representation == 1,
        photometric=elements.code("PhotometricInterpretation") or None,
        transfer_syntax=syntax,
        manufacturer=elements.text("Manufacturer") or None,
        model=elements.text("ManufacturerModelName") or None,
        study_date=_iso(elements.text("StudyDate"), findings),
        patient_id=elements.text("PatientID") or None,
        study_uid=elements.text("StudyInstanceUID") or None,
        series_uid=elements.text("SeriesInstanceUID") or None,
        sop_uid=elements.text("SOPInstanceUID") or None,
        identity=_identity(elements),
        burned_in=burned_in,
        findings=tuple(
            dict.fromkeys((*kind.findings, *view.findings, *about_side, *about_flip, *spacing.findings, *findings))
        ),
    )


def _identity(elements: Elements) -> DicomIdentity | None:
    sop_class, sop = elements.text("SOPClassUID"), elements.text("SOPInstanceUID")
    series, study = elements.text("SeriesInstanceUID"), elements.text("StudyInstanceUID")
    return DicomIdentity(sop_class, sop, series, study) if sop_class and sop and series and study else None


def _view(elements: Elements) -> ViewInfo:
    items = elements.items("ViewCodeSequence")
    modifiers = [m for item in items for m in item.items("ViewModifierCodeSequence")]
    descriptions = ("SeriesDescription", "ViewName", "ProtocolName", "AcquisitionDeviceProcessingDescription")
    texts = [elements.text(name) for name in (*descriptions, "PaddleDescription")]
    texts += [text for text in elements.texts("PatientOrientation") if text.upper() in _TELLING_VIEWS]  # CBIS-DDSM
    return resolve(
        _codes(items),
        _codes([*modifiers, *elements.items("ViewModifierCodeSequence")]),
        elements.text("ViewPosition"),
        texts,
    )


def _codes(items: Iterable[Elements]) -> list[tuple[str, str]]:
    return [(item.code("CodeValue") or item.code("LongCodeValue"), item.text("CodeMeaning")) for item in items]


def _facts(contents: DicomFile, view: ViewInfo, spacing: Spacing, findings: list[str]) -> Facts:
    elements = contents.elements
    sop_class = elements.text("SOPClassUID")
    if sop_class and contents.media_class and sop_class != contents.media_class:
        findings.append("file meta information and header state different SOP classes")
    regions = [code for code, _ in _codes(elements.items("AnatomicRegionSequence"))]
    coded = any(code in VIEW_OF_CODE for code, _ in _codes(elements.items("ViewCodeSequence")))
    intent = elements.code("PresentationIntentType")
    photometric = elements.code("PhotometricInterpretation") or "MONOCHROME2"
    body_part = elements.code("BodyPartExamined")
    return Facts(
        sop_class=sop_class or contents.media_class,
        modality=elements.code("Modality"),
        intent=intent,
        image_type=tuple(value.upper() for value in elements.texts("ImageType")),
        frames=elements.integer("NumberOfFrames") or 1,
        description=_together(
            elements, "SeriesDescription", "AcquisitionDeviceProcessingDescription", "DerivationDescription"
        ),
        technique=_together(elements, "ViewName", "ProtocolName", "PaddleDescription"),
        maker=elements.code("Manufacturer"),
        packed=elements.code("HologicFrames").startswith("HOLOGIC"),
        conversion=elements.code("ConversionType"),
        breast=coded
        or any(word in body_part for word in ("BREAST", "MAMMA"))
        or any(code in _BREAST_CODES for code in regions)
        or view.view in _TELLING_VIEWS,
        view=view.view,
        whole_breast=_shows_whole_breast(elements, view, spacing),
        quality_control=elements.code("QualityControlImage") == "YES" or "PHANTOM" in body_part,
        burned_in=elements.code("BurnedInAnnotation") == "YES",
        colour=(elements.integer("SamplesPerPixel") or 1) > 1 or not photometric.startswith("MONOCHROME"),
        has_size="Rows" in elements and "Columns" in elements,
    )


def _shows_whole_breast(elements: Elements, view: ViewInfo, spacing: Spacing) -> bool:
    """Judged by what is said of this image alone; descriptions of the series may be those of an ordered procedure."""
    codes = [VIEW_OF_CODE.get(code) for code, _ in _codes(elements.items("ViewCodeSequence"))]
    stated = {*codes, read_position(elements.text("ViewPosition")).view} - {None}
    part = _PARTS & view.flags or spacing.magnified or elements.code("PartialView") == "YES"
    sides = [elements.integer(name) or 0 for name in ("Rows", "Columns")]
    small = spacing.pixel_mm is not None and min(sides) * spacing.pixel_mm < _SMALLEST_DETECTOR_MM
    return bool(stated) and "SPECIMEN" not in stated and not part and not small


def _together(elements: Elements, *keywords: str) -> str:
    return " | ".join(elements.code(keyword) for keyword in keywords).replace("_", " ")


def _sides(elements: Elements) -> list[tuple[str, tuple[str, ...]]]:
    """(name, values) of every place that states a laterality, best first."""
    groups = elements.items("SharedFunctionalGroupsSequence")
    frames = [frame for group in groups for frame in group.items("FrameAnatomySequence")]
    stated = [("Image Laterality", elements.texts("ImageLaterality")), ("Laterality", elements.texts("Laterality"))]
    body_part = elements.code("BodyPartExamined")
    stated += [("Body Part Examined", (side,)) for side in ("LEFT", "RIGHT") if side in body_part]
    stated += [("Frame Laterality", frame.texts("FrameLaterality")) for frame in frames]
    for anatomy in (elements, *frames):
        for kind in ("AnatomicRegion", "PrimaryAnatomicStructure"):
            regions = anatomy.items(f"{kind}Sequence")
            codes = _codes([*regions, *(m for region in regions for m in region.items(f"{kind}ModifierSequence"))])
            sides = tuple(_SIDE_CODES[code] for code, _ in codes if code in _SIDE_CODES)
            stated.append(("the anatomic region", sides))
    return stated


def _spacing(elements: Elements, magnified_view: bool) -> Spacing:
    return read_spacing(
        elements.decimals("ImagerPixelSpacing"),
        elements.decimals("NominalScannedPixelSpacing"),
        elements.decimals("PixelSpacing"),
        elements.decimals("EstimatedRadiographicMagnificationFactor"),
        elements.code("PixelSpacingCalibrationType"),
        magnified_view,
    )


def _flags(elements: Elements, view: ViewInfo, kind: Kind, spacing: Spacing) -> set[str]:
    flags = {*view.flags, *kind.flags}
    stated = {"implant": "BreastImplantPresent", "partial": "PartialView"}
    flags.update(flag for flag, keyword in stated.items() if elements.code(keyword) == "YES")
    return flags | ({"magnification"} if spacing.magnified else set())


def _positive(elements: Elements, keyword: str, findings: list[str]) -> int | None:
    value = elements.integer(keyword)
    if value is not None and value > 0:
        return value
    if keyword in elements:
        findings.append(f"{keyword} is no positive number")
    return None


def _no_pixels(contents: DicomFile, numbers: dict[str, int | None], findings: list[str]) -> str | None:
    """Why the pixels of a picture of the right kind are of no use, as far as the header tells."""
    rows, columns, stored, allocated = (numbers[name] for name in ("Rows", "Columns", "BitsStored", "BitsAllocated"))
    if rows is None or columns is None:
        return "the header states no size of the picture"
    if rows * columns > MAX_PIXELS:
        return f"the header announces more than {MAX_PIXELS // 10**6} million pixels"
    if min(rows, columns) < _FEWEST:
        findings.append(f"only {rows} x {columns} pixels")
    if allocated not in (8, 16, 32) or not 1 <= (stored or allocated) <= allocated:
        findings.append("bits stored and bits allocated do not fit a picture")
    if not contents.has_pixels:
        return "the file holds no pixels (cut short, or a header alone)"
    plain = contents.transfer_syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
    if plain and contents.pixel_bytes is not None and contents.pixel_bytes < rows * columns * (allocated or 8) // 8:
        return "the file is cut short: pixels are missing"
    return None


def _syntax(uid: str) -> str:
    name, kind = UID_dictionary.get(uid, ("", ""))[:2]
    return name if kind == "Transfer Syntax" else _MISSING_SYNTAX[bool(uid)]


def _iso(text: str, findings: list[str]) -> str | None:
    """YYYYMMDD, or YYYY.MM.DD of the standard before 1993."""
    digits = text.replace(".", "")
    if len(digits) == 8 and digits.isdecimal():
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
        except ValueError:
            pass
    if text:
        findings.append("the study date is no date")
    return None
