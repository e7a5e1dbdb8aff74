"""Damage within a JPEG stream is told, in DICOM files as in pictures."""

from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.pixels import read_dicom_pixels


def test_damage_within_a_baseline_stream(make_dicom: Any) -> None:
    """Pillow, which decodes it, would fill in the rest without a word."""
    rough = np.random.default_rng(0).integers(0, 256, (160, 120)).astype(np.uint8)
    path = make_dicom(rough, "JPEG baseline", bits=8)
    frame = bytearray(cv2.imencode(".jpg", cv2.GaussianBlur(rough, (0, 0), 2))[1].tobytes())
    dataset = dcmread(path)
    for damage in (b"", bytes(40)):
        frame[500 : 500 + len(damage)] = damage
        assert read_dicom_pixels(path).pixels.shape == (160, 120)
        dataset.PixelData = encapsulate([bytes(frame)])
        dataset.save_as(path)
    with pytest.raises(DicomReadError, match=r"the JPEG baseline stream (is damaged or cut short|cannot be decoded)"):
        read_dicom_pixels(path)
