"""The pixels of a DICOM mammogram: grey, tissue bright, background 0.

    nyu            the stored values, as they stand in the PNG files that the published NYU weights were trained on: no
                   modality LUT, no VOI LUT or window
    presentation   what a workstation shows: modality LUT -> first VOI LUT, else first window -> inversion

Decisions
    Padding (Pixel Padding Value and Range Limit) becomes 0. Nothing else depends on whether a file declares it: as the
    background that it is, it counts for the darkest and the brightest pixel, which are the thinnest tissue without it.
    Bits of a container outside of the stored ones (overlays, by old rules) are cut off.
    Photometric Interpretation alone says what is bright, where Presentation LUT Shape contradicts it, too.
    nyu: signed values are shifted so that the darkest pixel is 0, if there are any below 0; values that are shown
    inverted (MONOCHROME1, or a table or slope that falls) are subtracted from the brightest, which is the background.
    presentation: the output range of the VOI becomes 0 .. 65535, then the darkest pixel 0 (a SIGMOID never reaches 0, and
    the breast is looked for among the pixels above 0).
    Colour becomes grey as in io/read.py: one channel where all are equal, else 0.299 R + 0.587 G + 0.114 B; of YBR
    the Y. It has no LUTs and no padding.

Everything after decoding is a function of one container, of which there are 65,536: it is worked out once for each of
them and then looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.dicom.decode import Containers, Words, decode
from mammoseg.io.dicom.display import Display, contradicts, read_display
from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.file import DicomFile, PixelData, open_dicom
from mammoseg.io.dicom.layout import PixelLayout
from mammoseg.io.dicom.voi import falls, inverted

PixelMode = Literal["nyu", "presentation"]

Table = NDArray[np.int64] | NDArray[np.float64]
"""(256,) or (65536,): what becomes of every container."""

UNUSABLE_DISPLAY = "LUTs and windows of the file cannot be used, and are not needed"
DARK_DISPLAY = "LUTs and windows of the file show nothing of the stored values, and are not needed"
"""Steps of mode nyu, for files of which mode presentation makes no picture."""

_LUMA = np.array([0.299, 0.587, 0.114])
_BLOCK = 1 << 20  # pixels looked up at a time


@dataclass(frozen=True)
class DicomPixels:
    """One image, ready to be used like the pixels of a PNG."""

    pixels: NDArray[np.generic]
    """(H, W) uint16; uint8 in mode nyu where 8 bits are stored."""
    steps: tuple[str, ...]
    """What was done, in plain words."""


def read_dicom_pixels(path: Path, mode: PixelMode = "nyu") -> DicomPixels:
    """Raises DicomReadError, with the file and the reason, if the image is damaged, not supported or contradictory."""
    with open_dicom(path) as file:
        return pixels_of(file, mode)


def pixels_of(file: DicomFile, mode: PixelMode = "nyu") -> DicomPixels:
    """Raises like `read_dicom_pixels`."""
    try:
        data = file.pixel_data()
        containers = decode(data)
        layout = data.layout
        sign = "signed, " if layout.signed else ""
        told = [f"{containers.name}, {layout.bits} bits stored, {sign}{layout.photometric}"]
        finish = _grey if layout.samples == 1 else _colour
        pixels, steps = finish(data, containers, mode)
        return DicomPixels(pixels, (*told, *steps, f"mode {mode}"))
    except DicomReadError as error:
        raise DicomReadError(f"{file.path}: {error}") from None


def _grey(data: PixelData, containers: Containers, mode: PixelMode) -> tuple[Words, list[str]]:
    layout = data.layout
    stored = _stored(containers, layout)
    padding, beyond, steps = _padding(data, stored)
    used = _used(containers.words)
    steps = _unused_bits(used & ~padding, containers, layout) + steps
    inverse = layout.photometric == "MONOCHROME1"
    table, told = (_nyu if mode == "nyu" else _presentation)(data, stored, used & ~beyond, inverse)
    table[padding] = 0
    narrow = mode == "nyu" and layout.bits == 8
    limited = np.clip(table, 0, 0xFFFF)
    final = limited.astype(np.uint8) if narrow else limited.astype(np.uint16)
    return _looked_up(containers.words, final), steps + told


def _nyu(data: PixelData, stored: NDArray[np.int64], used: NDArray[np.bool_], inverse: bool) -> tuple[Table, list[str]]:
    lowest, highest = _range(data.layout)
    steps = []
    try:
        shown = _display(data)(np.arange(lowest, highest + 1, dtype=np.float64))
        falling = falls(shown)
        if np.ptp(np.rint(0xFFFF * shown)) == 0:
            steps.append(DARK_DISPLAY)
    except DicomReadError:
        falling = False
        steps.append(UNUSABLE_DISPLAY)
    values = stored[used]
    if inverse != falling:
        why = "MONOCHROME1" if inverse else "its modality or VOI LUT falls"
        top = int(values.max(initial=lowest))
        return top - stored, [*steps, f"inverted ({why}): {top} became 0"]
    bottom = min(0, int(values.min(initial=0)))
    return stored - bottom, [*steps, *([f"{bottom} became 0 (the lowest value)"] if bottom else [])]


def _presentation(
    data: PixelData, stored: NDArray[np.int64], used: NDArray[np.bool_], inverse: bool
) -> tuple[Table, list[str]]:
    display = _display(data)
    fractions = display(stored.astype(np.float64))
    steps = list(display.steps)
    if inverse:
        fractions = inverted(fractions)
        steps.append("inverted (MONOCHROME1)")
    shape = data.elements.code("PresentationLUTShape")
    if contradicts(shape, data.layout.photometric):
        steps.append(f"Presentation LUT Shape {shape} contradicts {data.layout.photometric} and is not used")
    levels = np.rint(0xFFFF * fractions)
    darkest = levels[used].min(initial=0xFFFF) if used.any() else 0
    return levels - darkest, [*steps, *([f"{darkest:g} became 0 (the darkest pixel)"] if darkest else [])]


def _display(data: PixelData) -> Display:
    with damage("the look-up tables are damaged"), quiet():
        return read_display(data.elements, *_range(data.layout))


def _colour(data: PixelData, containers: Containers, mode: PixelMode) -> tuple[Words, list[str]]:
    layout = data.layout
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    words, table = containers.words, _stored(containers, layout)
    grey = np.empty(words.shape[:2], dtype)
    for rows in _rows(words):
        colours = table[words[rows]]
        same = containers.luma_first or (colours == colours[..., :1]).all()
        grey[rows] = colours[..., 0] if same else np.rint(colours @ _LUMA)
    steps = ["Y taken as grey" if containers.luma_first else "colours made grey"]
    if mode == "presentation":
        grey = _looked_up(grey, np.rint(np.arange(2**layout.bits) * (0xFFFF / (2**layout.bits - 1))).astype(np.uint16))
    return grey, steps


def _stored(containers: Containers, layout: PixelLayout) -> NDArray[np.int64]:
    """The stored value of every container that there can be, (256,) or (65536,).

    Where the stream codes no more bits than are stored they lie lowest; lossy values are limited to the range of the
    stored bits, instead of losing their highest bits.
    """
    words = np.arange(1 << (8 * containers.words.itemsize))
    shift = layout.high_bit + 1 - layout.bits if containers.bits > layout.bits else 0
    if containers.lossy:
        return np.clip(_low_bits(words, containers.bits, layout.signed) >> shift, *_range(layout))
    return _low_bits(words >> shift, min(layout.bits, containers.bits), layout.signed)


def _low_bits(words: NDArray[np.int64], bits: int, signed: bool) -> NDArray[np.int64]:
    values = words & (2**bits - 1)
    return values - (values >> (bits - 1) << bits) if signed else values


def _range(layout: PixelLayout) -> tuple[int, int]:
    """Lowest and highest stored value that there can be."""
    half = 2 ** (layout.bits - 1)
    return (-half, half - 1) if layout.signed else (0, 2 * half - 1)


def _padding(data: PixelData, stored: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[str]]:
    """Which containers are padding, and which of them only by all of their bits (some writers pad with -2000).

    The stored bits of the latter are no grey level.
    """
    values = [data.elements.word(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if values[0] is None:
        return np.zeros(stored.shape, bool), np.zeros(stored.shape, bool), []
    signed, bits = data.layout.signed, data.layout.allocated
    ends = sorted(int(_low_bits(np.array(value), bits, signed)) for value in values if value is not None)
    low, high = ends[0], ends[-1]
    whole = _low_bits(np.arange(stored.size), bits, signed)
    levels = (stored >= low) & (stored <= high)
    beyond = (whole >= low) & (whole <= high) & ~levels
    span = f"{low}" if low == high else f"{low} to {high}"
    return levels | beyond, beyond, [f"padding {span} made background"]


def _unused_bits(used: NDArray[np.bool_], containers: Containers, layout: PixelLayout) -> list[str]:
    words = np.flatnonzero(used)
    if containers.lossy or containers.bits <= layout.bits:
        return []
    rest = words >> (layout.high_bit + 1)
    filled = (2 ** (containers.bits - layout.high_bit - 1) - 1) * (words >> layout.high_bit & 1) if layout.signed else 0
    below = words & (2 ** (layout.high_bit + 1 - layout.bits) - 1)
    return ["bits beside the stored ones cut off"] if ((rest != 0) & (rest != filled) | (below != 0)).any() else []


def _used(words: Words) -> NDArray[np.bool_]:
    """Which of all containers occur in the image."""
    used = np.zeros(1 << (8 * words.itemsize), bool)
    for rows in _rows(words):
        used[words[rows]] = True
    return used


def _looked_up(words: Words, table: Words) -> Words:
    result = np.empty(words.shape, table.dtype)
    for rows in _rows(words):
        result[rows] = table[words[rows]]
    return result


def _rows(words: Words) -> Iterator[slice]:
    """Slices of some rows at a time: looking up takes eight bytes for every pixel."""
    height = max(1, _BLOCK // words[0].size)
    return (slice(top, top + height) for top in range(0, len(words), height))
