"""Values of the elements that describe pixels, decoded here from the bytes as they are in the file.

PS3.5 leaves open for several of them whether they are signed (VR "US or SS", "US or OW"); here they are words without
sign until somebody who knows says otherwise, whatever VR a writer has chosen.
"""

import math

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from mammoseg.io.dicom.errors import DicomReadError

_BYTES_OF_VR = {"UL": 4, "SL": 4, "UV": 8, "SV": 8}


class ImageValues:
    """Values of a data set that was read with pydicom, by keyword. What is missing or empty gives an empty tuple."""

    def __init__(self, dataset: Dataset) -> None:
        self._elements = {int(element.tag): element for element in dataset.values()}

    def __contains__(self, keyword: str) -> bool:
        return tag_for_keyword(keyword) in self._elements

    def words(self, keyword: str) -> tuple[int, ...]:
        """Binary integers, taken as unsigned words of 16 bits (of numbers with more bits: the lowest 16)."""
        raw = self.data(keyword)
        element = self._elements.get(tag_for_keyword(keyword) or 0)
        width = _BYTES_OF_VR.get(getattr(element, "VR", None) or "", 2)
        order = "<" if self.little_endian(keyword) else ">"
        numbers = np.frombuffer(raw, f"{order}u{width}", len(raw) // width)
        return tuple(int(number) & 0xFFFF for number in numbers)

    def word(self, keyword: str) -> int | None:
        """The first of `words`."""
        return next(iter(self.words(keyword)), None)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Text values in capitals, without padding; those that are empty are left out."""
        texts = self.data(keyword).decode("latin-1").split("\\")
        return tuple(text.strip(" \0").upper() for text in texts if text.strip(" \0"))

    def text(self, keyword: str) -> str:
        """The first of `texts`, or an empty text."""
        return next(iter(self.texts(keyword)), "")

    def decimals(self, keyword: str) -> tuple[float, ...]:
        """Decimal numbers; NaN for what is none."""
        return tuple(_decimal(text) for text in self.texts(keyword))

    def items(self, keyword: str) -> tuple["ImageValues", ...]:
        """The items of a sequence."""
        found = self._elements.get(tag_for_keyword(keyword) or 0)
        if isinstance(found, RawDataElement):
            if not found.value:
                return ()
            found = convert_raw_data_element(found._replace(VR="SQ"))
        return tuple(map(ImageValues, found.value)) if found and isinstance(found.value, Sequence) else ()

    def data(self, keyword: str) -> bytes:
        """The value as it is in the file."""
        found = self._elements.get(tag_for_keyword(keyword) or 0)
        if found is None or not found.value:
            return b""
        if not isinstance(found, RawDataElement) or not isinstance(found.value, bytes):
            raise DicomReadError(f"{keyword} is a sequence. Expected a value. The file is damaged: export it again.")
        return found.value

    def little_endian(self, keyword: str) -> bool:
        """Byte order of the words in `data`."""
        return bool(getattr(self._elements.get(tag_for_keyword(keyword) or 0), "is_little_endian", True))


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
