"""Values of DICOM elements, decoded here from the raw bytes that pydicom finds.

So a wrong value representation or a value against the rules is no error. Only the elements listed here are ever read: no
name, no birth date, no accession number.

PS3.5 leaves open for several elements that describe pixels whether they are signed (VR "US or SS", "US or OW"): `words` are
without sign until somebody who knows says otherwise, whatever VR a writer has chosen.
"""

import logging
import math
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.shared import Shared

# fmt: off
_TOP = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "ConversionType",
    "PresentationIntentType", "Manufacturer", "SeriesDescription", "ManufacturerModelName", "DerivationDescription",
    "ViewName", "AnatomicRegionSequence", "PrimaryAnatomicStructureSequence", "PatientID", "BodyPartExamined",
    "ProtocolName", "EstimatedRadiographicMagnificationFactor", "ImagerPixelSpacing", "PaddleDescription",
    "AcquisitionDeviceProcessingDescription", "NominalScannedPixelSpacing", "ViewPosition", "StudyInstanceUID",
    "SeriesInstanceUID", "PatientOrientation", "Laterality", "ImageLaterality", "SamplesPerPixel",
    "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "QualityControlImage", "BurnedInAnnotation", "PixelSpacingCalibrationType",
    "BreastImplantPresent", "PartialView", "ViewCodeSequence", "ViewModifierCodeSequence",
    "SharedFunctionalGroupsSequence", "PresentationLUTShape", "PlanarConfiguration", "HighBit", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "VOILUTSequence",
)
_NESTED = (
    "CodeValue", "LongCodeValue", "CodeMeaning", "AnatomicRegionModifierSequence",
    "PrimaryAnatomicStructureModifierSequence", "FrameAnatomySequence", "FrameLaterality", "LUTDescriptor", "LUTData",
)
# fmt: on
_PRIVATE = {"HologicFrames": 0x7E010010}
"""Not in the standard: who made the group of elements in which Hologic packs frames."""
_TAGS = {keyword: cast(int, tag_for_keyword(keyword)) for keyword in _TOP + _NESTED} | _PRIVATE
WANTED = tuple(_TAGS[keyword] for keyword in (*_TOP, *_PRIVATE))
"""Tags outside of sequences."""

_BYTES_OF_VR = {"UL": 4, "SL": 4, "UV": 8, "SV": 8}
_TEXT_VRS = ("IS", "DS", "LO", "SH", "CS", "ST", "LT", "UT", "UC")
_CHARACTER_SETS = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
_PADDING = b" \0\r\n\t"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a]")  # all but what a text may have: line ends and escape sequences
_quiet = Shared()


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps warnings and logs of pydicom back: of a damaged file they may quote whatever comes next, names as well.

    Both are settings of the whole process.
    """
    with _quiet.mode(_silence):
        yield


@contextmanager
def _silence() -> Iterator[None]:
    logger = logging.getLogger("pydicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disabled, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = disabled


class Elements:
    """Elements of a data set by keyword. Nothing raises: what is missing or unreadable is empty, None or NaN."""

    def __init__(self, dataset: Dataset) -> None:
        self._raw = {int(element.tag): element for element in dataset.values()}  # .elements() reads skipped values

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, keyword: str) -> bool:
        return _TAGS[keyword] in self._raw

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All values, without padding; empty values keep their place.

        None where control characters show that a wrong length has swallowed other elements.
        """
        raw = self._bytes(keyword).strip(_PADDING)
        if not raw or _CONTROL.search(raw):
            return ()
        return tuple(part.strip() for part in self._decoded(raw).split("\\"))

    def text(self, keyword: str) -> str:
        """The first value that is not empty."""
        return next((text for text in self.texts(keyword) if text), "")

    def code(self, keyword: str) -> str:
        """The first value that is not empty, in capitals."""
        return self.text(keyword).upper()

    def integer(self, keyword: str) -> int | None:
        """The first value of a binary or decimal integer."""
        raw, found = self._bytes(keyword), self._raw.get(_TAGS[keyword])
        if found is None or not raw:
            return None
        if found.VR in _TEXT_VRS or keyword == "NumberOfFrames":
            value = _number(self.text(keyword))
            return int(value) if math.isfinite(value) else None
        size = 4 if found.VR in ("UL", "SL") else 2
        return int.from_bytes(raw[:size], "little" if getattr(found, "is_little_endian", True) else "big")

    def words(self, keyword: str) -> tuple[int, ...]:
        """Binary integers, taken as unsigned words of 16 bits (of numbers with more bits: the lowest 16)."""
        raw, order = self.data(keyword), "<" if self.little_endian(keyword) else ">"
        width = _BYTES_OF_VR.get(getattr(self._raw.get(_TAGS[keyword]), "VR", None) or "", 2)
        numbers = np.frombuffer(raw, f"{order}u{width}", len(raw) // width)
        return tuple(int(number) & 0xFFFF for number in numbers)

    def word(self, keyword: str) -> int | None:
        """The first of `words`."""
        return next(iter(self.words(keyword)), None)

    def data(self, keyword: str) -> bytes:
        """The value as it is in the file. Raises DicomReadError for a sequence."""
        found = self._raw.get(_TAGS[keyword])
        if found is None or not found.value:
            return b""
        if not isinstance(found.value, bytes):
            raise DicomReadError(f"{keyword} is a sequence. Expected a value. The file is damaged: export it again.")
        return found.value

    def little_endian(self, keyword: str) -> bool:
        """Byte order of the words in `data`."""
        return bool(getattr(self._raw.get(_TAGS[keyword]), "is_little_endian", True))

    def decimals(self, keyword: str) -> tuple[float, ...]:
        """All values of decimal text or binary floats, without empty ones; NaN for what is no number."""
        found = self._raw.get(_TAGS[keyword])
        if isinstance(found, RawDataElement) and found.VR in ("FL", "FD"):
            raw, width = self._bytes(keyword), 4 if found.VR == "FL" else 8
            count = len(raw) // width
            order = "<" if found.is_little_endian else ">"
            return struct.unpack(f"{order}{count}{'f' if width == 4 else 'd'}", raw[: count * width])
        return tuple(_number(text) for text in self.texts(keyword) if text) or (math.nan,) * bool(
            self._bytes(keyword).strip(_PADDING)
        )

    def items(self, keyword: str, strict: bool = False) -> tuple["Elements", ...]:
        """The items of a sequence; none of a damaged one, or with `strict` what pydicom raises."""
        found = self._raw.get(_TAGS[keyword])
        if isinstance(found, RawDataElement):
            if not found.value:
                return ()
            try:
                with quiet():
                    found = convert_raw_data_element(found._replace(VR="SQ"))
            except Exception:  # pydicom raises errors of many kinds on damaged sequences
                if strict:
                    raise
                return ()
        if not isinstance(found, DataElement) or not isinstance(found.value, Sequence):
            return ()
        return tuple(Elements(item) for item in found.value)

    def _bytes(self, keyword: str) -> bytes:
        value = getattr(self._raw.get(_TAGS[keyword]), "value", None)
        return value if isinstance(value, bytes) else b""

    def _decoded(self, raw: bytes) -> str:
        if raw.isascii():
            return raw.decode("ascii")
        value = getattr(self._raw.get(_TAGS["SpecificCharacterSet"]), "value", None)  # pydicom may have decoded it
        declared = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        return raw.decode(_CHARACTER_SETS.get(declared.strip(" \0"), "latin-1"), errors="replace")


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan
