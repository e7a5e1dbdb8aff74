"""Values of elements are what stands in the file, whatever VR a writer gave them."""

import math
import struct
from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from mammoseg.io.dicom.elements import Elements
from mammoseg.io.dicom.errors import DicomReadError


def element(group: int, number: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    head = struct.pack(f"{order}HH2s", group, number, vr)
    wide = vr in (b"OW", b"UN", b"SQ")
    return head + struct.pack(f"{order}HI" if wide else f"{order}H", *([0] if wide else []), len(value)) + value


def read(*elements: bytes, little_endian: bool = True) -> Elements:
    return Elements(read_dataset(BytesIO(b"".join(elements)), False, little_endian))


@pytest.mark.parametrize(("vr", "value"), [(b"US", -2000 & 0xFFFF), (b"SS", -2000 & 0xFFFF), (b"UN", 63536)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_words_have_no_sign(vr: bytes, value: int, order: str) -> None:
    values = read(element(0x28, 0x120, vr, struct.pack(f"{order}2H", value, 7), order), little_endian=order == "<")
    assert values.words("PixelPaddingValue") == (63536, 7)
    assert values.word("PixelPaddingValue") == 63536


def test_words_of_more_bits() -> None:
    assert read(element(0x28, 0x120, b"SL", struct.pack("<i", -2000))).words("PixelPaddingValue") == (63536,)


def test_text() -> None:
    values = read(element(0x28, 0x4, b"CS", b" monochrome1 \0"), element(0x28, 0x1050, b"DS", b"1e3\\ \\x\\-2.5 "))
    assert values.code("PhotometricInterpretation") == "MONOCHROME1"
    numbers = values.decimals("WindowCenter")
    np.testing.assert_array_equal(numbers, [1000, math.nan, -2.5])


def test_what_is_missing_or_empty() -> None:
    values = read(element(0x28, 0x1050, b"DS", b""), element(0x28, 0x3010, b"SQ", b""))
    for keyword in ("WindowCenter", "WindowWidth", "VOILUTSequence"):
        assert values.words(keyword) == values.texts(keyword) == values.items(keyword) == ()
        assert (values.word(keyword), values.text(keyword), values.data(keyword)) == (None, "", b"")
    assert [keyword in values for keyword in ("WindowCenter", "WindowWidth")] == [True, False]


@pytest.mark.parametrize("order", ["<", ">"])
def test_items(order: str) -> None:
    inside = element(0x28, 0x3002, b"SS", struct.pack(f"{order}3H", 2, 65535, 12), order)
    inside += element(0x28, 0x3006, b"OW", struct.pack(f"{order}2H", 1, 2), order)
    sequence = struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(inside)) + inside
    [item] = read(element(0x28, 0x3010, b"SQ", sequence, order), little_endian=order == "<").items("VOILUTSequence")
    assert item.words("LUTDescriptor") == (2, 65535, 12)
    assert item.little_endian("LUTData") == (order == "<")
    assert item.data("LUTData") == struct.pack(f"{order}2H", 1, 2)


def test_a_sequence_where_a_value_must_be_is_refused() -> None:
    dataset = Dataset()
    dataset.add_new("WindowCenter", "SQ", [Dataset()])
    with pytest.raises(DicomReadError, match="WindowCenter is a sequence"):
        Elements(dataset).data("WindowCenter")
