"""Values of elements from raw bytes: wrong representations, empty and multiple values, character sets, sequences."""

import math
import struct
import warnings
from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from mammoseg.io.dicom.elements import Elements


def element(tag: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF) + vr
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC")
    return head + (struct.pack(f"{order}HL", 0, len(value)) if long else struct.pack(f"{order}H", len(value))) + value


def elements(*parts: bytes, little: bool = True) -> Elements:
    return Elements(read_dataset(BytesIO(b"".join(parts)), False, little))


def test_texts() -> None:
    read = elements(element(0x00080008, b"CS", b"DERIVED\\PRIMARY \\\\GENERATED_2D\0"))
    assert read.texts("ImageType") == ("DERIVED", "PRIMARY", "", "GENERATED_2D")
    assert read.text("ImageType") == "DERIVED"
    assert (read.texts("Modality"), read.text("Modality"), "Modality" in read) == ((), "", False)


def test_first_value_that_is_not_empty() -> None:
    assert elements(element(0x00080060, b"CS", b"\\mg\\CR")).code("Modality") == "MG"
    assert elements(element(0x00080060, b"CS", b"  \0")).code("Modality") == ""


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        (b"US", b"\0\x0d"),
        (b"US", b"\0\x0d\0\0"),
        (b"SS", b"\0\x0d"),
        (b"UL", b"\0\x0d\0\0"),
        (b"OW", b"\0\x0d"),
        (b"UN", b"\0\x0d"),
        (b"IS", b"3328"),
        (b"LO", b"3328 "),
        (b"DS", b"3328.0"),
    ],
)
def test_integer_of_any_representation(vr: bytes, value: bytes) -> None:
    assert elements(element(0x00280010, vr, value)).integer("Rows") == 3328


def test_integer_big_endian() -> None:
    assert elements(element(0x00280010, b"US", b"\x0d\0", ">"), little=False).integer("Rows") == 3328


@pytest.mark.parametrize(("vr", "value"), [(b"US", b""), (b"IS", b"many"), (b"IS", b"1e999"), (b"IS", b"nan")])
def test_integer_that_is_none(vr: bytes, value: bytes) -> None:
    assert elements(element(0x00280010, vr, value)).integer("Rows") is None


def test_number_of_frames_is_text_whatever_is_declared() -> None:
    assert elements(element(0x00280008, b"UN", b"60")).integer("NumberOfFrames") == 60


def test_decimals() -> None:
    assert elements(element(0x00181164, b"DS", b"0.07\\ 7.0E-2")).decimals("ImagerPixelSpacing") == (0.07, 0.07)
    assert elements(element(0x00181164, b"DS", b"0,07")).decimals("ImagerPixelSpacing") == (0.07,)
    assert elements(element(0x00181164, b"FD", struct.pack("<dd", 0.1, 0.2))).decimals("ImagerPixelSpacing") == (
        0.1,
        0.2,
    )
    assert elements(element(0x00181164, b"FL", struct.pack("<f", 0.5) + b"xx")).decimals("ImagerPixelSpacing") == (0.5,)
    first, second = elements(element(0x00181164, b"DS", b"0.07\\wide")).decimals("ImagerPixelSpacing")
    assert first == 0.07
    assert math.isnan(second)
    assert elements().decimals("ImagerPixelSpacing") == ()


@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        (b"ISO_IR 192", "Å1-é".encode(), "Å1-é"),
        (b"ISO_IR 100", "Å1-é".encode("latin-1"), "Å1-é"),
        (b"GB18030 ", "甲1".encode("gb18030"), "甲1"),
        (b"", b"\xe91", "é1"),
        (b"ISO_IR 192", b"\xff1", "\ufffd1"),
    ],
)
def test_character_sets(declared: bytes, value: bytes, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = elements(element(0x00080005, b"CS", declared), element(0x00100020, b"LO", value))
        assert read.text("PatientID") == text


def sequence(undefined: bool, implicit: bool) -> Elements:
    item, modifier = Dataset(), Dataset()
    modifier.CodeValue = "R-102D5"
    item.CodeValue, item.CodeMeaning, item.ViewModifierCodeSequence = "R-10242", "cranio-caudal", [modifier]
    whole = Dataset()
    whole.ViewCodeSequence = [item]
    for dataset in (whole, item):
        dataset.is_undefined_length_sequence_item = undefined
    whole["ViewCodeSequence"].is_undefined_length = item["ViewModifierCodeSequence"].is_undefined_length = undefined
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, implicit
    write_dataset(file, whole)
    return Elements(read_dataset(BytesIO(file.getvalue()), implicit, True))


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("implicit", [False, True])
def test_items(undefined: bool, implicit: bool) -> None:
    [item] = sequence(undefined, implicit).items("ViewCodeSequence")
    assert (item.text("CodeValue"), item.text("CodeMeaning")) == ("R-10242", "cranio-caudal")
    assert [m.text("CodeValue") for m in item.items("ViewModifierCodeSequence")] == ["R-102D5"]


@pytest.mark.parametrize("value", [b"", b"R-10242 ", b"\xfe\xff\x00\xe0\xff\xff\x00\x00", b"\xfe\xff", b"\0" * 40])
@pytest.mark.parametrize("vr", [b"SQ", b"LO", b"UN"])
def test_items_of_what_is_no_sequence(vr: bytes, value: bytes) -> None:
    read = elements(element(0x00540220, vr, value))
    assert all(item.text("CodeValue") == "" for item in read.items("ViewCodeSequence"))
    assert read.text("ViewModifierCodeSequence") == ""


def test_sequence_declared_as_unknown() -> None:
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", 16) + struct.pack("<HHL", 0x0008, 0x0100, 8) + b"R-10242 "
    [read] = elements(element(0x00540220, b"UN", item)).items("ViewCodeSequence")
    assert read.text("CodeValue") == "R-10242"
