"""Which of the transformations in a file are taken."""

import struct
from typing import Any

import numpy as np
import pytest

from mammoseg.io.dicom.display import read_display
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.file import open_dicom
from mammoseg.io.dicom.pixels import read_dicom_pixels

STORED = np.arange(4096.0)
RAMP = {"LUTDescriptor": [4096, 0, 12], "LUTData": list(range(4096))}
STEEP = {"LUTDescriptor": [2, 2000, 12], "LUTData": [0, 4095]}


def shown(make_dicom: Any, **elements: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    with open_dicom(make_dicom(np.zeros((8, 8), int), **elements)) as file:
        display = read_display(file.elements, 0, 4095)
    return display(STORED), display.steps


def test_nothing(make_dicom: Any) -> None:
    fractions, steps = shown(make_dicom)
    np.testing.assert_allclose(fractions, STORED / 4095)
    assert steps == ("no VOI LUT and no window: all values shown",)


def test_the_first_window_of_several(make_dicom: Any) -> None:
    fractions, steps = shown(make_dicom, WindowCenter=[100, 2000, 3000], WindowWidth=[2, 1, 1])
    np.testing.assert_array_equal(fractions, STORED >= 100)
    assert steps == ("VOI LINEAR window 100/2 (the first of 3)",)


def test_a_table_comes_before_a_window_and_the_first_before_others(make_dicom: Any) -> None:
    fractions, steps = shown(make_dicom, VOILUTSequence=[STEEP, RAMP], WindowCenter=10, WindowWidth=2)
    np.testing.assert_array_equal(fractions, STORED > 2000)
    assert steps == ("VOI LUT of 2 entries (the first of 2)",)


def test_tables_follow_each_other(make_dicom: Any) -> None:
    fractions, steps = shown(make_dicom, ModalityLUTSequence=[STEEP], VOILUTSequence=[RAMP], RescaleSlope=7)
    np.testing.assert_array_equal(fractions, STORED > 2000)
    assert steps == ("modality LUT", "VOI LUT of 4096 entries")


def test_all_values_of_a_rescaled_range(make_dicom: Any) -> None:
    fractions, steps = shown(make_dicom, RescaleSlope=-2, RescaleIntercept=100)
    np.testing.assert_allclose(fractions, 1 - STORED / 4095)
    assert steps == ("rescaled (-2 x + 100)", "no VOI LUT and no window: all values shown")


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"WindowCenter": 1}, "a window center without width"),
        ({"WindowWidth": 1}, "a window center without width"),
        ({"RescaleSlope": 0}, "Rescale Slope is 0"),
        ({"WindowCenter": 1, "WindowWidth": 1, "VOILUTFunction": "CUBIC"}, "VOI LUT Function is unknown"),
        ({"VOILUTSequence": [{"LUTDescriptor": [5, 0, 8], "LUTData": [1, 2]}]}, "announces 5 entries"),
        ({"VOILUTSequence": [{}]}, "a LUT Descriptor has 0 values"),
    ],
)
def test_refused(make_dicom: Any, elements: dict[str, Any], message: str) -> None:
    with pytest.raises(DicomReadError, match=message):
        shown(make_dicom, **elements)


def test_damaged_tables(make_dicom: Any) -> None:
    """Not needed for the stored values, and refused like all damage where they are."""
    path = make_dicom(np.full((8, 8), 7))
    data = path.read_bytes()
    at = len(data) - 8 * 8 * 2 - 12
    item, sequence = (
        struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1),
        struct.pack("<HH2sHI", 0x28, 0x3010, b"SQ", 0, 2**32 - 1),
    )
    nested = 3000 * (item + sequence)
    path.write_bytes(data[:at] + sequence[:8] + struct.pack("<I", len(nested)) + nested + data[at:])
    read = read_dicom_pixels(path)
    assert (read.pixels == 7).all()
    assert "LUTs and windows of the file cannot be used, and are not needed" in read.steps
    with pytest.raises(DicomReadError, match=r"the look-up tables are damaged \(nested too deep\)"):
        read_dicom_pixels(path, "presentation")
