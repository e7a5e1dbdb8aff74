"""The size of a pixel, from the several places of a header that speak of it.

Source   DICOM PS3.3 C.8.11.3 (Imager Pixel Spacing, at the detector), 10.7.1.3 (Pixel Spacing and its calibration),
         C.8.6.1 (Nominal Scanned Pixel Spacing, on a digitised film). A size in the breast is the size at the detector
         divided by Estimated Radiographic Magnification Factor.
"""

import math
from dataclasses import dataclass

from mammoseg.records.image import LARGEST_PIXEL_MM

_SMALLEST_MM = 0.005
_FACTORS = (0.9, 4.0)
_MAGNIFIED = 1.2  # contact views have up to 1.1
_UNEQUAL = 0.01


@dataclass(frozen=True)
class Spacing:
    """Sizes in millimetres; None where unknown."""

    pixel_mm: float | None
    """In the breast."""
    pixel_spacing_mm: float | None
    """Pixel Spacing as it stands: at the detector, in the breast or on paper, depending on who wrote it."""
    magnified: bool
    findings: tuple[str, ...]


def read_spacing(
    imager: tuple[float, ...],
    scanned: tuple[float, ...],
    plain: tuple[float, ...],
    factor: tuple[float, ...],
    calibration: str,
    magnified_view: bool,
) -> Spacing:
    """Imager, Nominal Scanned and plain Pixel Spacing (row spacing first), magnification factor, calibration type.

    Without Imager Pixel Spacing the size of a scanned film is taken, which needs no factor.
    """
    findings: list[str] = []
    detector = _side("Imager Pixel Spacing", imager, findings)
    film = _side("Nominal Scanned Pixel Spacing", scanned, findings)
    spacing = _side("Pixel Spacing", plain, findings)
    times = _factor(factor, findings)
    magnified = magnified_view or (times or 1.0) > _MAGNIFIED
    if magnified_view and (times or 1.0) <= _MAGNIFIED and detector:
        findings.append("a magnified view without its factor: the pixel size is the one at the detector")
    if calibration:
        findings.append("Pixel Spacing is calibrated" if spacing else "a calibration without Pixel Spacing")
    size = detector / (times or 1.0) if detector else film
    return Spacing(size, spacing, magnified, tuple(findings))


def _side(name: str, values: tuple[float, ...], findings: list[str]) -> float | None:
    if not values:
        return None
    row, column = values[0], values[1] if len(values) > 1 else values[0]
    if not all(math.isfinite(value) and _SMALLEST_MM <= value <= LARGEST_PIXEL_MM for value in (row, column)):
        findings.append(f"{name} is no size of a pixel (expected {_SMALLEST_MM} to {LARGEST_PIXEL_MM} mm): not used")
        return None
    if abs(row - column) > _UNEQUAL * row:
        findings.append(f"{name} differs between rows and columns: the one between rows is used")
    return row


def _factor(values: tuple[float, ...], findings: list[str]) -> float | None:
    if not values:
        return None
    low, high = _FACTORS
    if math.isfinite(values[0]) and low <= values[0] <= high:
        return values[0]
    findings.append(f"Estimated Radiographic Magnification Factor is none (expected {low} to {high}): not used")
    return None
