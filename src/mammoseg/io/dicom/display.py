"""The grey-scale transformations that a file asks for, read from its elements and checked."""

from collections.abc import Callable
from dataclasses import dataclass

from mammoseg.io.dicom.elements import Elements
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.voi import LookupTable, Values, looked_up, lookup_table, rescaled, scaled, windowed

Step = Callable[[Values], Values]


@dataclass(frozen=True)
class Display:
    """stored values -> `modality` -> `voi`, which gives fractions of the output range (see voi.py)."""

    modality: Step
    voi: Step
    steps: tuple[str, ...]
    """In plain words."""

    def __call__(self, stored: Values) -> Values:
        return self.voi(self.modality(stored))


def read_display(elements: Elements, lowest: int, highest: int) -> Display:
    """For stored values from `lowest` to `highest`.

    A VOI LUT comes before a window, and of several the first is taken (it is the one that viewers show). Without
    either the range of modality values is the output range. Raises DicomReadError if something cannot be used.
    """
    modality, ends, steps = _modality(elements, lowest, highest)
    voi, found = _voi(elements, *ends)
    return Display(modality, voi, (*steps, found))


def contradicts(shape: str, photometric: str) -> bool:
    """Whether the Presentation LUT Shape says the reverse of the Photometric Interpretation about what is bright.

    PS3.3 C.7.6.1 wants INVERSE with MONOCHROME1, which says the same and does not invert twice, else IDENTITY.
    """
    return (photometric, shape) in (("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE"))


def _modality(elements: Elements, lowest: int, highest: int) -> tuple[Step, tuple[float, float], list[str]]:
    tables = elements.items("ModalityLUTSequence", strict=True)
    if tables:
        table = _table(tables[0], lowest)
        return lambda x: looked_up(x, table), (0, 2**table.bits - 1), ["modality LUT"]
    slopes, intercepts = elements.decimals("RescaleSlope") or (1.0,), elements.decimals("RescaleIntercept") or (0.0,)
    slope, intercept = slopes[0], intercepts[0]
    low, high = sorted(rescaled([lowest, highest], slope, intercept).tolist())
    told = [] if (slope, intercept) == (1, 0) else [f"rescaled ({slope:g} x + {intercept:g})"]
    return lambda x: rescaled(x, slope, intercept), (low, high), told


def _voi(elements: Elements, low: float, high: float) -> tuple[Step, str]:
    tables = elements.items("VOILUTSequence", strict=True)
    centers, widths = elements.decimals("WindowCenter"), elements.decimals("WindowWidth")
    windows = min(len(centers), len(widths))
    if tables:
        table = _table(tables[0], low)
        told = f"VOI LUT of {len(table.entries)} entries{_first_of(len(tables))}"
        return lambda x: scaled(looked_up(x, table), 0, 2**table.bits - 1), told
    if windows:
        center, width, function = centers[0], widths[0], elements.code("VOILUTFunction") or "LINEAR"
        windowed([low, high], center, width, function)  # raises here what is wrong with the window
        told = f"VOI {function} window {center:g}/{width:g}{_first_of(windows)}"
        return lambda x: windowed(x, center, width, function), told
    if centers or widths:
        raise DicomReadError(
            "the file has a window center without width, or the reverse. Expected both or none. Export the image again, "
            "or read it with the stored values (mode nyu)."
        )
    return lambda x: scaled(x, low, high), "no VOI LUT and no window: all values shown"


def _table(item: Elements, lowest: float) -> LookupTable:
    little = item.little_endian("LUTData")
    return lookup_table(item.words("LUTDescriptor"), item.data("LUTData"), lowest, little_endian=little)


def _first_of(count: int) -> str:
    return f" (the first of {count})" if count > 1 else ""
