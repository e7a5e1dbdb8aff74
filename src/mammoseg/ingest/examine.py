"""One file of a folder that is scanned: what it is, whether it can be used, and if not, why not.

DICOM is recognised by its content. Of other pictures only the name, or a table of the user, tells patient, side and view.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from mammoseg.data.window_fit import glance
from mammoseg.ingest.patterns import NamePattern, looks_like_mask, special_view, usual_name
from mammoseg.ingest.quality import BLANK, PixelFacts, check_pixels
from mammoseg.ingest.stated import settle
from mammoseg.ingest.thumbnail import thumbnail
from mammoseg.io.dicom.header import DicomHeader, DicomReadError, read_header
from mammoseg.io.dicom.pixels import DARK_DISPLAY, UNUSABLE_DISPLAY
from mammoseg.io.errors import ImageReadError
from mammoseg.io.pictures import looks_like_picture
from mammoseg.io.read import read_image
from mammoseg.io.regular import open_regular
from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts
from mammoseg.records.image import LARGEST_PIXEL_MM, Laterality, Mammogram

Status = Literal["used", "left out", "unusable", "no image"]
"""`left out`: an image of another kind than wanted; `unusable`: what should have been an image and cannot be used."""

LEFT_OUT = ("specimen", "stereo", "biopsy", "magnification", "spot", "partial")
"""Flags of views that no model is made for. Implants and other flags stay."""
NO_NAME = "the name tells no side and view"
NO_MATCH = "the name does not fit the pattern"
NO_FIELDS = "the pattern has no {laterality} and {view}, which a picture needs"
MASK = "looks like a mask"
TWO_VALUES = "its pixels have two values"
BY_TABLE = "by the table of labels"
BAD_WINDOW = "its window or LUT cannot be used (needed for prep.dicom=presentation)"
DARK_WINDOW = "its window or LUT shows nothing of the stored values (prep.dicom=presentation)"
_ABOUT_WINDOW = {UNUSABLE_DISPLAY: BAD_WINDOW, DARK_DISPLAY: DARK_WINDOW}

EMPTY = "the file is empty"
NOT_READ = "neither DICOM nor a picture of a kind that is read"
DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
PICTURE_SUFFIXES = (".png", ".pgm", ".tif", ".tiff", ".btf", ".jpg", ".jpeg", ".jp2", ".j2k", ".j2c", ".jpf", ".bmp")
"""Of files that should be images."""
_OTHER_PICTURES = (".gif", ".webp", ".jxl", ".heic", ".avif", ".raw", ".mha", ".nii", ".npy")
"""Images as well, if their names tell side and view; else icons and the like."""

_MARK = b"DICM"  # behind a preamble that may be anything, also the beginning of a TIFF file
_NUMBERS = re.compile(r"\s*\([^()]*\d[^()]*\)|(?<!JPEG )\b\d+(?: x \d+)?\b(?! million)")
_USABLE_KINDS = ("mammogram", "film scan")


@dataclass(frozen=True)
class Settings:
    """How files are looked at."""

    root: Path
    pattern: NamePattern | None = None
    pixels: Literal["all", "pictures", "none"] = "all"
    """Of which usable images the pixels are decoded and checked; `pictures`: all that are not DICOM."""
    pixel_mm: float | None = None
    """Pixel side in mm of images that do not tell it."""
    windows: Mapping[str, PrepConfig] = field(default_factory=dict)
    """Preparations by name: how much of the breast each would show is looked at with the pixels."""
    thumbnails: bool = False
    """Make a small picture of each image that is decoded."""
    told: Mapping[PurePosixPath, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """What a table says of files: see `label_match.rows_of_files`."""


@dataclass(frozen=True)
class Seen:
    """What is known of one file."""

    place: PurePosixPath = field(repr=False)
    """Relative to the folder."""
    status: Status
    why: str = ""
    """Kind or reason in fixed words, of a file that is not used."""
    detail: str = field(default="", repr=False)
    """More about the reason, with numbers of this file."""
    header: DicomHeader | None = None
    patient: str | None = field(default=None, repr=False)
    """As header or name tell it."""
    exam: str | None = field(default=None, repr=False)
    """Study Instance UID, or the exam that the name tells."""
    laterality: Laterality | None = None
    view: str | None = None
    findings: tuple[str, ...] = ()
    pixels: PixelFacts | None = None
    told_pixel_mm: float | None = None
    """`Settings.pixel_mm`."""
    windows: Mapping[str, BreastFacts | None] = field(default_factory=dict)
    """For each of `Settings.windows` what is seen through it, as far as the pixels were looked at; None: it cannot be cut."""
    thumbnail: bytes | None = field(default=None, repr=False)
    """A JPEG file."""
    mammogram: bool = False
    """Header or name say that it is a mammogram; of files that are not used, too."""
    told: frozenset[str] = frozenset()
    """What only a table tells, of laterality, view, patient and exam."""

    @property
    def pixel_mm(self) -> float | None:
        """Side of a pixel in mm, as the header tells it, else as it was told of the folder; None if unknown or absurd."""
        size = (self.header.pixel_mm if self.header else None) or self.told_pixel_mm
        return size if size is not None and 0 < size <= LARGEST_PIXEL_MM else None


def examine(settings: Settings, place: PurePosixPath) -> Seen:
    """Look at one file. Raises nothing: what is wrong with the file is in the answer."""
    path = settings.root / place
    try:
        seen = replace(_recognised(settings, path, place), told_pixel_mm=settings.pixel_mm)
        decoded = settings.pixels == "all" or (settings.pixels == "pictures" and seen.header is None)
        return _with_pixels(settings, seen, path) if decoded and seen.status == "used" else seen
    except Exception as error:  # one file must not end the scan; the list of files keeps it
        return Seen(place, "unusable", f"an error of the program ({type(error).__name__})")


def _recognised(settings: Settings, path: Path, place: PurePosixPath) -> Seen:
    if place.name.upper() == "DICOMDIR":
        return Seen(place, "no image", "DICOMDIR, the table of contents of a disc")
    try:
        with open_regular(path, None) as file:
            start = file.read(132)
    except ImageReadError as error:
        return Seen(place, "unusable", *_reason(error, path))
    names = _names(settings, place)
    marked = start[128:] == _MARK
    if not marked and looks_like_picture(start):
        return _picture(settings, place, names)
    try:
        header = read_header(path)
    except DicomReadError as error:
        return _unknown(place, names, _reason(error, path), marked)
    if settings.pattern is None:  # exam and patient are those of the header
        names = {name: names[name] for name in ("laterality", "view") if name in names}
    return _dicom(place, header, names, settings.told.get(place, {}))


def _unknown(place: PurePosixPath, names: dict[str, str], reason: tuple[str, str], marked: bool) -> Seen:
    """What has not the content of an image: by its name it may be one all the same, of a kind that is not read."""
    suffix, told = place.suffix.lower(), {"laterality", "view"} <= names.keys()
    picture = suffix in PICTURE_SUFFIXES or (told and suffix in _OTHER_PICTURES)
    if not marked and suffix not in DICOM_SUFFIXES:
        if not picture:
            return Seen(place, "no image", "another kind of file")
        if EMPTY not in reason:
            reason = NOT_READ, ""
    return Seen(place, "unusable", *reason, mammogram=told)


def _names(settings: Settings, place: PurePosixPath) -> dict[str, str]:
    """The fields of the name; a name without patient or exam is of the folder that it is in."""
    if settings.pattern:
        return settings.pattern.match(place) or {}
    usual = usual_name(place.stem)
    if usual is None:
        return {}
    return {**usual, "exam": usual["exam"] or _folder(settings, place)}


def _folder(settings: Settings, place: PurePosixPath) -> str:
    return place.parent.as_posix() if place.parent.name else settings.root.name


def _picture(settings: Settings, place: PurePosixPath, names: dict[str, str]) -> Seen:
    if settings.pattern is None and looks_like_mask(place):
        return Seen(place, "left out", MASK, "by its name or folder; with --pattern they are not judged")
    if kind := special_view(place.stem, settings.pattern.text if settings.pattern else ""):
        why = f"{kind} view" if kind in LEFT_OUT else kind
        return Seen(place, "left out", why, "by its name; with a --pattern that holds the word it is not judged")
    told = settings.told.get(place, {})
    if flag := told.get("flag"):
        return Seen(place, "left out", f"{flag} view", BY_TABLE)
    stated = settle(None, names, told)
    if stated["laterality"] is None or stated["view"] is None:
        return Seen(place, "unusable", NO_NAME if settings.pattern is None else NO_FIELDS if names else NO_MATCH)
    folder = _folder(settings, place) if settings.pattern is None else None
    stated["exam"] = stated["exam"] or stated["patient"] or folder
    return Seen(place, "used", mammogram=True, **stated)


def _dicom(place: PurePosixPath, header: DicomHeader, names: dict[str, str], told: Mapping[str, str]) -> Seen:
    """Names, and then a table, fill in what the header does not tell."""
    if header.kind == "not an image":
        return Seen(place, "no image", "DICOM without a picture (report, presentation state or the like)")
    if header.kind not in _USABLE_KINDS:
        return Seen(place, "left out", header.kind, header.why_not or "")
    if header.why_not is not None:
        return Seen(place, "unusable", header.why_not, mammogram=True)
    if unwanted := next((flag for flag in LEFT_OUT if flag in header.flags), None):
        return Seen(place, "left out", f"{unwanted} view")
    if flag := told.get("flag"):
        return Seen(place, "left out", f"{flag} view", BY_TABLE)
    stated = settle(header, names, told)
    if missing := [name for name in ("laterality", "view") if stated[name] is None]:
        return Seen(place, "unusable", f"not stated: {' and '.join(missing)}", mammogram=True)
    return Seen(place, "used", header=header, mammogram=True, **stated)


def _with_pixels(settings: Settings, seen: Seen, path: Path) -> Seen:
    flip = seen.header.horizontal_flip if seen.header else None
    try:
        pixels, reading, _ = read_image(path)
    except ValueError as error:
        why, detail = _reason(error, path)
        return Seen(seen.place, "unusable", why, detail, mammogram=True)
    side: Laterality = seen.laterality or "L"
    image = Mammogram(pixels, side, seen.view or "", "", seen.pixel_mm, flip)
    facts = check_pixels(image)
    if facts.blank:
        return Seen(seen.place, "unusable", BLANK)
    if facts.two_values:
        return Seen(seen.place, "left out", MASK, TWO_VALUES)
    windows = {name: glance(image, prep) for name, prep in settings.windows.items()}
    small = thumbnail(pixels) if settings.thumbnails else None
    return replace(seen, pixels=facts, windows=windows, thumbnail=small, findings=seen.findings + about_window(reading))


def about_window(reading: Sequence[str]) -> tuple[str, ...]:
    """What the steps of reading a DICOM image tell of its own display."""
    return tuple(finding for step, finding in _ABOUT_WINDOW.items() if step in reading)


def _reason(error: ValueError, path: Path) -> tuple[str, str]:
    """What the message says is wrong: without the numbers of this file, so that files can be counted by it, and with them."""
    detail = str(error).removeprefix(f"{path}: ").partition(". Expected")[0]
    return _NUMBERS.sub(lambda found: "" if "(" in found[0] else "N", detail), detail
