"""Grey-scale transformations of DICOM as functions of arrays: modality LUT, VOI LUT, windows, presentation LUT.

    stored values --rescaled | looked_up--> modality values --scaled | windowed--> fractions --inverted--> fractions

A fraction is a place in the output range of the VOI transformation: 0 is its minimum, 1 its maximum.

Source   DICOM PS3.3 C.11.1 (modality LUT), C.11.2.1.1 (VOI LUT), C.11.2.1.2 and C.11.2.1.3 (windows), C.11.6
         (presentation LUT shape INVERSE, which says of values what MONOCHROME1 says of pixels).
Deviates A look-up table whose entries need more bits than it announces has the bits that its entries need.
Units    Values are those of the file; shapes are free, every function works on each value alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammoseg.io.dicom.errors import DicomReadError

Values = NDArray[np.float64]

_WORD_VALUES = 1 << 16
_MOST_BITS = 16


@dataclass(frozen=True)
class LookupTable:
    """A modality or VOI LUT: inputs below `first` give the first entry, inputs above the last one the last entry."""

    first: int
    """Input of the first entry."""
    entries: NDArray[np.uint16]
    """(N,) outputs for `first`, `first` + 1, ..."""
    bits: int
    """Outputs lie in 0 .. 2^bits - 1."""


def lookup_table(descriptor: Sequence[int], data: bytes, lowest_input: float, *, little_endian: bool) -> LookupTable:
    """From LUT Descriptor (three unsigned words as in the file) and LUT Data (words, or one byte an entry).

    The second word is signed if inputs can be negative, that is, if `lowest_input` is.
    """
    if len(descriptor) != 3:
        raise DicomReadError(f"a LUT Descriptor has {len(descriptor)} values. Expected 3. {_EXPORT}")
    count, first, bits = descriptor
    count = count or _WORD_VALUES
    if not 1 <= bits <= _MOST_BITS:
        raise DicomReadError(f"a look-up table has entries of {bits} bits. Expected 1 to 16. {_EXPORT}")
    if len(data) == 2 * count:
        entries = np.frombuffer(data, "<u2" if little_endian else ">u2").astype(np.uint16)
    elif len(data) in (count, count + count % 2) and bits <= 8 and little_endian:
        entries = np.frombuffer(data, np.uint8, count).astype(np.uint16)
    else:
        raise DicomReadError(
            f"a look-up table announces {count} entries of {bits} bits and has {len(data)} bytes. "
            f"Expected two bytes an entry. {_EXPORT}"
        )
    if lowest_input < 0 and first >= _WORD_VALUES // 2:
        first -= _WORD_VALUES
    return LookupTable(first, entries, max(bits, int(entries.max()).bit_length()))


def looked_up(values: ArrayLike, table: LookupTable) -> Values:
    """Entries of the table for `values`, which are rounded to the nearest input."""
    places = np.rint(np.asarray(values, np.float64)) - table.first
    return table.entries[np.clip(places, 0, len(table.entries) - 1).astype(np.intp)].astype(np.float64)


def rescaled(values: ArrayLike, slope: float, intercept: float) -> Values:
    """slope x + intercept."""
    if not (np.isfinite(slope) and np.isfinite(intercept)) or slope == 0:
        raise DicomReadError(
            f"Rescale Slope is {slope:g} and Rescale Intercept {intercept:g}. Expected finite numbers and a slope "
            f"that is not 0. {_EXPORT}"
        )
    return np.asarray(values, np.float64) * slope + intercept


def windowed(values: ArrayLike, center: float, width: float, function: str = "LINEAR") -> Values:
    """Fractions by one window. With center c and width w, and 0 or 1 where the line leaves that range:

    LINEAR        (x - (c - 0.5)) / (w - 1) + 0.5       (w = 1: a step, 0 up to c - 0.5 and 1 above it)
    LINEAR_EXACT  (x - c) / w + 0.5                     (w > 0)
    SIGMOID       1 / (1 + exp(-4 (x - c) / w))         (w > 0)
    """
    least = {"LINEAR": 1.0, "LINEAR_EXACT": 0.0, "SIGMOID": 0.0}.get(function)
    if least is None:
        raise DicomReadError("the VOI LUT Function is unknown. Expected LINEAR, LINEAR_EXACT or SIGMOID. " + _EXPORT)
    if not np.isfinite(center) or not np.isfinite(width) or width < least or width == 0:
        raise DicomReadError(
            f"the {function} window has center {center:g} and width {width:g}. Expected finite numbers and a width "
            f"{'of at least 1' if least else 'above 0'}. {_EXPORT}"
        )
    x = np.asarray(values, np.float64)
    if function == "SIGMOID":
        with np.errstate(over="ignore"):  # exp of a large number is infinite, and the fraction 0, as it should be
            return 1 / (1 + np.exp(-4 * ((x - center) / width)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    if width == 0:
        return (x > center).astype(np.float64)
    with np.errstate(over="ignore"):
        return np.clip((x - center) / width + 0.5, 0, 1)


def scaled(values: ArrayLike, low: float, high: float) -> Values:
    """Fractions of the range `low` .. `high`, which values do not leave (all 0 for an empty range)."""
    x = np.asarray(values, np.float64)
    return np.clip((x - low) / (high - low), 0, 1) if high > low else np.zeros(x.shape)


def inverted(fractions: ArrayLike) -> Values:
    """Bright and dark exchanged."""
    return 1 - np.asarray(fractions, np.float64)


def falls(outputs: ArrayLike) -> bool:
    """Whether outputs of ascending inputs become smaller on the whole (negative covariance with their order)."""
    y = np.asarray(outputs, np.float64).ravel()
    order = np.arange(y.size) - (y.size - 1) / 2
    return bool(order @ y < -1e-9 * np.abs(order) @ np.abs(y))


_EXPORT = "Export the image again, or read it with the stored values (mode nyu)."
