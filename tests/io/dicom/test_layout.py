"""What of the storage of pixels is read, and what is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.pixels import read_dicom_pixels

GREY = np.arange(64).reshape(8, 8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Rows": 0}, "no DICOM header with Rows and Columns"),
        ({"Rows": None}, "no DICOM header with Rows and Columns"),
        ({"NumberOfFrames": 2}, "the Number of Frames is 2"),
        ({"NumberOfFrames": 60000}, "the Number of Frames is 60000"),
        ({"SamplesPerPixel": 2}, "Samples per Pixel is 2"),
        ({"SamplesPerPixel": None}, "Samples per Pixel is not stated"),
        ({"Rows": 65535, "Columns": 65535}, "announces 65535 x 65535 pixels"),
        ({"Rows": 12500, "Columns": 12500}, "announces 12500 x 12500 pixels"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PALETTE COLOR"),
        ({"PhotometricInterpretation": "RGB"}, "of 1 samples is RGB"),
        ({"PhotometricInterpretation": "MUELLER"}, "missing or unknown"),
        ({"PhotometricInterpretation": None}, "missing or unknown"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, "have 32 bits allocated"),
        ({"BitsAllocated": 12}, "have 12 bits allocated"),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "have 1 bits allocated"),
        ({"BitsAllocated": None}, "have not stated bits allocated"),
        ({"BitsStored": 7, "HighBit": 6}, "have 7 bits stored"),
        ({"BitsStored": 17}, "have 17 bits stored"),
        ({"HighBit": 10}, "the High Bit is 10 for 12"),
        ({"HighBit": 16}, "the High Bit is 16 for 12"),
        ({"PixelRepresentation": 2}, "the Pixel Representation of 1 samples is 2"),
        ({"PixelRepresentation": None}, "Pixel Representation of 1 samples is not stated"),
    ],
)
def test_refused(make_dicom: Any, changes: dict[str, Any], message: str) -> None:
    path: Path = make_dicom(GREY)
    dataset = dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)
    with pytest.raises(DicomReadError, match=message):
        read_dicom_pixels(path)


def test_colour_has_no_sign(make_dicom: Any) -> None:
    with pytest.raises(DicomReadError, match="Pixel Representation of 3 samples is 1"):
        read_dicom_pixels(make_dicom(np.zeros((8, 8, 3), int), bits=8, signed=True))


@pytest.mark.parametrize("frames", ["", "1", 1])
def test_one_frame(make_dicom: Any, frames: Any) -> None:
    np.testing.assert_array_equal(read_dicom_pixels(make_dicom(GREY, NumberOfFrames=frames)).pixels, GREY)


def test_the_high_bit_may_be_missing(make_dicom: Any) -> None:
    path: Path = make_dicom(GREY)
    dataset = dcmread(path)
    del dataset.HighBit
    dataset.save_as(path)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)
