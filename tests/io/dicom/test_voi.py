"""The formulas of PS3.3 C.11 as functions: against the text of the standard, and what must hold for any input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.voi import falls, inverted, looked_up, lookup_table, rescaled, scaled, windowed

numbers = st.floats(-70_000, 70_000)
widths = st.floats(1, 70_000)
functions = st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"])
values = arrays(np.float64, st.integers(1, 20), elements=numbers)


def by_the_standard(x: float, c: float, w: float, function: str) -> float:
    """The pseudo-code of C.11.2.1.2 with an output range of 0 .. 1."""
    if function == "SIGMOID":
        exponent = -4 * (x - c) / w
        return 1 / (1 + math.exp(exponent)) if exponent < 700 else 0.0
    if function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0
        return 1 if x > c + w / 2 else (x - c) / w + 0.5
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    return 1 if x > c - 0.5 + (w - 1) / 2 else (x - (c - 0.5)) / (w - 1) + 0.5


@given(values, numbers, widths, functions)
def test_windows_follow_the_standard(x: np.ndarray, center: float, width: float, function: str) -> None:
    expected = [by_the_standard(value, center, width, function) for value in x.tolist()]
    np.testing.assert_allclose(windowed(x, center, width, function), expected, atol=1e-6)


@given(values, numbers, widths, functions)
def test_windows_rise_and_stay_in_range(x: np.ndarray, center: float, width: float, function: str) -> None:
    y = windowed(np.sort(x), center, width, function)
    assert (np.diff(y) >= 0).all()
    np.testing.assert_array_equal(y, np.clip(y, 0, 1))


@given(numbers, widths, st.floats(0, 70_000), st.sampled_from(["LINEAR_EXACT", "SIGMOID"]))
def test_windows_are_symmetric_about_their_center(c: float, w: float, distance: float, function: str) -> None:
    below, above = windowed([c - distance, c + distance], c, w, function)
    assert below + above == pytest.approx(1)


def test_a_narrow_linear_window_is_a_step() -> None:
    np.testing.assert_array_equal(windowed([2047, 2047.5, 2048], 2048, 1), [0, 0, 1])


@pytest.mark.parametrize(("x", "expected"), [(-1000, 0), (0, 0), (2047.5, 0.5), (4095, 1), (9999, 1)])
def test_the_usual_window_of_twelve_bits(x: float, expected: float) -> None:
    assert windowed([x], 2048, 4096)[0] == expected


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [(0, 0.5, "LINEAR"), (0, 0, "SIGMOID"), (0, -1, "LINEAR_EXACT"), (math.nan, 1, "LINEAR"), (0, math.inf, "LINEAR")],
)
def test_impossible_windows_are_refused(center: float, width: float, function: str) -> None:
    with pytest.raises(DicomReadError, match=f"the {function} window has center"):
        windowed([0], center, width, function)


def test_an_unknown_function_is_refused() -> None:
    with pytest.raises(DicomReadError, match="VOI LUT Function is unknown"):
        windowed([0], 1, 1, "LOGARITHMIC")


@given(values, st.floats(-100, 100).filter(lambda slope: abs(slope) > 1e-3), numbers)
def test_rescaling(x: np.ndarray, slope: float, intercept: float) -> None:
    np.testing.assert_allclose((rescaled(x, slope, intercept) - intercept) / slope, x, atol=1e-4)


@pytest.mark.parametrize(("slope", "intercept"), [(0, 1), (math.nan, 0), (1, math.inf)])
def test_impossible_rescaling_is_refused(slope: float, intercept: float) -> None:
    with pytest.raises(DicomReadError, match="Rescale Slope"):
        rescaled([1], slope, intercept)


@given(st.lists(st.integers(0, 4095), min_size=1, max_size=50), st.integers(-100, 100), values, st.booleans())
def test_looking_up(entries: list[int], first: int, x: np.ndarray, little_endian: bool) -> None:
    data = np.array(entries).astype("<u2" if little_endian else ">u2").tobytes()
    lowest = -200 if first < 0 else 0
    table = lookup_table((len(entries), first & 0xFFFF, 12), data, lowest, little_endian=little_endian)
    expected = [entries[min(max(round(value) - first, 0), len(entries) - 1)] for value in x.tolist()]
    np.testing.assert_array_equal(looked_up(x, table), expected)


def test_first_input_is_signed_only_where_inputs_are() -> None:
    data = bytes(4)
    assert lookup_table((2, 0xFFFF, 8), data, 0, little_endian=True).first == 0xFFFF
    assert lookup_table((2, 0xFFFF, 8), data, -1, little_endian=True).first == -1


def test_tables_of_65536_entries_and_of_bytes() -> None:
    whole = lookup_table((0, 0, 16), np.arange(65536, dtype="<u2").tobytes(), 0, little_endian=True)
    np.testing.assert_array_equal(looked_up([0, 777, 65535], whole), [0, 777, 65535])
    packed = lookup_table((3, 0, 8), bytes([5, 6, 7, 0]), 0, little_endian=True)
    np.testing.assert_array_equal(packed.entries, [5, 6, 7])


def test_entries_above_the_announced_bits_need_more() -> None:
    assert lookup_table((2, 0, 10), np.array([0, 4000], "<u2").tobytes(), 0, little_endian=True).bits == 12


@pytest.mark.parametrize(
    ("descriptor", "data", "message"),
    [
        ((2, 0), bytes(4), "has 2 values"),
        ((2, 0, 0), bytes(4), "entries of 0 bits"),
        ((2, 0, 17), bytes(4), "entries of 17 bits"),
        ((3, 0, 12), bytes(4), "announces 3 entries of 12 bits and has 4 bytes"),
        ((4, 0, 12), bytes(4), "announces 4 entries"),
        ((4, 0, 12), b"", "has 0 bytes"),
    ],
)
def test_damaged_tables_are_refused(descriptor: tuple[int, ...], data: bytes, message: str) -> None:
    with pytest.raises(DicomReadError, match=message):
        lookup_table(descriptor, data, 0, little_endian=True)


@given(values, numbers, st.floats(1, 1000))
def test_scaling(x: np.ndarray, low: float, extent: float) -> None:
    y = scaled(x, low, low + extent)
    inside = (x >= low) & (x <= low + extent)
    np.testing.assert_allclose(low + y[inside] * extent, x[inside], atol=1e-6)
    assert set(y[~inside]) <= {0.0, 1.0}


def test_scaling_of_an_empty_range() -> None:
    np.testing.assert_array_equal(scaled([1, 2], 5, 5), [0, 0])


@given(arrays(np.float64, 5, elements=st.floats(0, 1)))
def test_inverting_twice_changes_nothing(fractions: np.ndarray) -> None:
    np.testing.assert_allclose(inverted(inverted(fractions)), fractions, atol=1e-12)


@given(arrays(np.float64, st.integers(2, 50), elements=numbers, unique=True))
def test_falling(outputs: np.ndarray) -> None:
    outputs = np.sort(outputs)
    outputs += np.arange(len(outputs))
    assert falls(outputs[::-1])
    assert not falls(outputs)
    assert not falls(np.full(9, outputs[0]))
