"""How the pixels of a DICOM image are stored, checked before any of them is read (PS3.3 C.7.6.3, PS3.5 8.1 and 8.2)."""

from dataclasses import dataclass

from mammoseg.io.dicom.elements import Elements
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.records.image import MAX_PIXELS

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@dataclass(frozen=True)
class PixelLayout:
    """One frame, grey (1 sample) or colour (3 samples). Stored values are `bits` of every container of `allocated`."""

    rows: int
    columns: int
    samples: int
    allocated: int
    """8 or 16."""
    bits: int
    """8 to 16."""
    high_bit: int
    """Position of the highest of `bits`, counted from 0."""
    signed: bool
    photometric: str
    planar: int
    """1 where the colours of native pixels come plane by plane."""

    @property
    def native_bytes(self) -> int:
        """Size of the frame where it is not compressed."""
        subsampled = self.photometric == "YBR_FULL_422"
        return self.rows * self.columns * (2 if subsampled else self.samples) * self.allocated // 8


def read_layout(elements: Elements) -> PixelLayout:
    """Raises DicomReadError with the name of what cannot be read."""
    rows, columns = elements.word("Rows") or 0, elements.word("Columns") or 0
    samples, frames = elements.word("SamplesPerPixel"), elements.decimals("NumberOfFrames")
    if not rows or not columns:
        raise DicomReadError(
            "no DICOM header with Rows and Columns was found. Expected a DICOM image. Leave the file out, or copy or "
            "export it again."
        )
    if any(not count <= 1 for count in frames):
        raise DicomReadError(
            f"the Number of Frames is {frames[0]:g}. Expected 1, one mammogram. Tomosynthesis and other series of "
            "frames are not supported: leave the file out."
        )
    if samples not in (1, 3):
        raise DicomReadError(f"Samples per Pixel is {_stated(samples)}. Expected 1 (grey) or 3 (colour). {_EXPORT}")
    if rows * columns * samples > MAX_PIXELS:
        raise DicomReadError(
            f"the header announces {rows} x {columns} pixels with {samples} samples. Expected a mammogram (up to about "
            f"24 million pixels; at most {MAX_PIXELS // 10**6} million are read). The file is damaged, or to be "
            "scaled down if it is a very fine film scan."
        )
    photometric = elements.code("PhotometricInterpretation")
    if photometric not in (_GREY if samples == 1 else _COLOUR):
        known = photometric in ("PALETTE COLOR", "YBR_PARTIAL_420", "HSV", "CMYK", "ARGB", *_GREY, *_COLOUR)
        raise DicomReadError(
            f"the Photometric Interpretation of {samples} samples is {photometric if known else 'missing or unknown'}. "
            f"Expected {', '.join(_GREY if samples == 1 else _COLOUR)}. Export the image as MONOCHROME2."
        )
    planar = elements.word("PlanarConfiguration") or 0
    return PixelLayout(rows, columns, samples, *_bits(elements, samples), photometric, planar)


def _bits(elements: Elements, samples: int) -> tuple[int, int, int, bool]:
    allocated, bits, sign = (elements.word(name) for name in ("BitsAllocated", "BitsStored", "PixelRepresentation"))
    if allocated not in (8, 16):
        raise DicomReadError(f"the pixels have {_stated(allocated)} bits allocated. Expected 8 or 16. {_EXPORT}")
    if bits is None or not 8 <= bits <= allocated:
        raise DicomReadError(f"the pixels have {_stated(bits)} bits stored. Expected 8 to {allocated}. {_EXPORT}")
    high_bit = elements.word("HighBit") if "HighBit" in elements else None
    high_bit = bits - 1 if high_bit is None else high_bit
    if not bits - 1 <= high_bit < allocated:
        raise DicomReadError(
            f"the High Bit is {high_bit} for {bits} bits stored in {allocated}. Expected {bits - 1} to "
            f"{allocated - 1}. {_EXPORT}"
        )
    if sign not in (0, 1) or (sign and samples > 1):
        raise DicomReadError(
            f"the Pixel Representation of {samples} samples is {_stated(sign)}. Expected 0 (no sign), or 1 (sign) of "
            f"one sample. {_EXPORT}"
        )
    return allocated, bits, high_bit, sign == 1


def _stated(value: int | None) -> str:
    return "not stated" if value is None else str(value)


_EXPORT = "The file is damaged or no mammogram; export the image again as 16-bit MONOCHROME2."
