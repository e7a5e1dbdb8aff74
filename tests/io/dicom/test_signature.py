"""DICOM files are known with and without preamble; other files are not taken for them."""

import pytest

from mammoseg.io.dicom.signature import looks_like_dicom


@pytest.mark.parametrize(
    ("start", "is_dicom"),
    [
        (bytes(128) + b"DICM", True),
        (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", True),  # no preamble, little endian
        (b"\x02\x00\x00\x00UL\x04\x00", True),  # only the meta header
        (b"\x00\x08\x00\x05CS\x00\x0a", True),  # big endian
        (b"", False),
        (bytes(128) + b"DICN", False),
        (b"\x08\x00", False),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), False),
        (b"\xff\xd8\xff\xe0" + bytes(200), False),
        (b"P5\n96 128\n65535\n", False),
        (b"II*\x00\x08\x00\x00\x00", False),
        (b"patient,side\n", False),
        (bytes(132), False),
    ],
)
def test_first_bytes(start: bytes, is_dicom: bool) -> None:
    assert looks_like_dicom(start) == is_dicom
