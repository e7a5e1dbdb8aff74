"""The size of a pixel: detector, magnification, film, and values that are none."""

import math

import pytest

from mammoseg.io.dicom.spacing import Spacing, read_spacing


def read(
    imager: tuple[float, ...] = (),
    scanned: tuple[float, ...] = (),
    plain: tuple[float, ...] = (),
    factor: tuple[float, ...] = (),
    calibration: str = "",
    magnified: bool = False,
) -> Spacing:
    return read_spacing(imager, scanned, plain, factor, calibration, magnified)


def test_detector_divided_by_magnification() -> None:
    assert read((0.1, 0.1)).pixel_mm == 0.1
    spacing = read((0.1, 0.1), factor=(1.8,))
    assert spacing.pixel_mm == pytest.approx(0.1 / 1.8)
    assert spacing.magnified
    contact = read((0.07, 0.07), factor=(1.07,))
    assert contact.pixel_mm == pytest.approx(0.07 / 1.07)
    assert not contact.magnified


def test_pixel_spacing_is_kept_apart() -> None:
    spacing = read(plain=(0.05, 0.05), calibration="GEOMETRY")
    assert (spacing.pixel_mm, spacing.pixel_spacing_mm) == (None, 0.05)
    assert spacing.findings == ("Pixel Spacing is calibrated",)
    assert read((0.1, 0.1), plain=(0.09, 0.09)).pixel_mm == 0.1


def test_film() -> None:
    assert read(scanned=(0.043, 0.043), factor=(1.5,)).pixel_mm == 0.043
    assert read((0.1,), scanned=(0.043, 0.043)).pixel_mm == 0.1


@pytest.mark.parametrize("value", [0.0, -0.1, 5.1, 100.0, 1e-9, math.nan, math.inf])
def test_nonsense_is_none_and_a_finding(value: float) -> None:
    for values in ((value, value), (0.1, value)):
        spacing = read(values, values, values)
        assert (spacing.pixel_mm, spacing.pixel_spacing_mm) == (None, None)
        assert len(spacing.findings) == 3


@pytest.mark.parametrize("value", [0.0, -1.0, 0.5, 50.0, math.nan, math.inf])
def test_nonsense_factor_is_not_used(value: float) -> None:
    spacing = read((0.1, 0.1), factor=(value,))
    assert (spacing.pixel_mm, spacing.magnified, len(spacing.findings)) == (0.1, False, 1)


def test_unequal_sides() -> None:
    spacing = read((0.1, 0.2))
    assert spacing.pixel_mm == 0.1
    assert len(spacing.findings) == 1
    assert read((0.0941, 0.0942)).findings == ()


def test_magnified_view_without_factor() -> None:
    spacing = read((0.1, 0.1), magnified=True)
    assert (spacing.pixel_mm, spacing.magnified, len(spacing.findings)) == (0.1, True, 1)
    assert read((0.1, 0.1), factor=(1.5,), magnified=True).findings == ()
