"""A tiny grey image in every compression of DICOM files, to see whether its decoder works here.

The streams are stored: no encoder of the libraries that decode them has to be right, and for some there is none.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

Pixels = NDArray[np.uint16]

RAMP = (np.arange(64, dtype=np.uint16) * 64).reshape(8, 8)
STEPS = np.kron(RAMP, np.ones((4, 4), np.uint16))
LEVEL = np.full((32, 32), 2048, np.uint16)


@dataclass(frozen=True)
class Sample:
    """One image of 12 bits."""

    name: str
    """Of the compression."""
    syntax: uid.UID
    image: Pixels
    """(rows, columns) what is to come out, within `error`."""
    stream: str
    """The compressed frame in base64; empty: not compressed."""
    error: int = 0

    def write(self, path: Path) -> None:
        """As a DICOM file. Raises OSError."""
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = self.syntax
        data.SOPClassUID, data.SOPInstanceUID = uid.DigitalMammographyXRayImageStorageForPresentation, "1.2.3"
        data.Rows, data.Columns = self.image.shape
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = encapsulate([base64.b64decode(self.stream)]) if self.stream else self.image.tobytes()
        data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB" if self.stream else "OW", bool(self.stream)
        data.save_as(path, enforce_file_format=True)


SAMPLES = (
    Sample("not compressed", uid.ExplicitVRLittleEndian, RAMP, ""),
    Sample("deflated", uid.DeflatedExplicitVRLittleEndian, RAMP, ""),
    Sample(
        "RLE",
        uid.RLELossless,
        RAMP,
        "AgAAAEAAAABgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP0A/QH9Av0D/QT9Bf0G/Qf9CP0J"
        "/Qr9C/0M/Q39Dv0PBwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDABwBAgMAAQIDA",
    ),
    Sample(
        "JPEG baseline",
        uid.JPEGBaseline8Bit,
        RAMP // 16,
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsK"
        "DAkKCgr/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABP/EABsQAAAHAQAAAAAAAAAAAAAAAAAHCiYzRFHh/9oACAEBAAA/ADlsm4jY"
        "WVuD/9k=",
        error=4,
    ),
    Sample(
        "JPEG extended",
        uid.JPEGExtended12Bit,
        RAMP,
        "/9j/wQALDAAIAAgBAREA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
        "/8QAIwAAAAAAEAAAAAAAAAAAAAAAAAECAwQFBgcICQoLDA0OD//EAPUQAAAAAAAAAOIAAAAAAAAAAAECAwQFBgcICQoLDA0OERITFBUWFxgZGhsc"
        "HR4hIiMkJSYnKCkqKywtLjEyMzQ1Njc4OTo7PD0+QUJDREVGR0hJSktMTU5RUlNUVVZXWFlaW1xdXmFiY2RlZmdoaWprbG1ucXJzdHV2d3h5ent8"
        "fX6BgoOEhYaHiImKi4yNjpGSk5SVlpeYmZqbnJ2eoaKjpKWmp6ipqqusra6xsrO0tba3uLm6u7y9vsHCw8TFxsfIycrLzM3O0dLT1NXW19jZ2tvc"
        "3d7h4uPk5ebn6Onq6+zt7vHy8/T19vf4+fr7/P3+APD/2gAIAQEAAD8AS/wpuIa3HGAUlDBLbQG4ystNuD//2Q==",
        error=2,
    ),
    Sample(
        "JPEG lossless",
        uid.JPEGLossless,
        RAMP,
        "/9j/wwALDAAIAAgBAREA/8QAJAAAAAAAEQAAAAAAAAAAAAAAAAECAwQFBgcICQoLDA0ODxD/2gAIAQEABgAAY/8AngHgHgHgHgHgHgKgBMATAEwB"
        "MATAEwBMAVACYAmAJgCYAmAJgCYAqAEwBMATAEwBMATAEwBUAJgCYAmAJgCYAmAJgCoATAEwBMATAEwBMATAFQAmAJgCYAmAJgCYAmAKgBMATAEw"
        "BMATAEwBMA//2Q==",
    ),
    Sample(
        "JPEG lossless SV1",
        uid.JPEGLosslessSV1,
        RAMP,
        "/9j/wwALDAAIAAgBAREA/8QAJAAAAAAAEQAAAAAAAAAAAAAAAAECAwQFBgcICQoLDA0ODxD/2gAIAQEAAQAAY/8AngHgHgHgHgHgHgKgA8A8A8A8"
        "A8A8A8BUAHgHgHgHgHgHgHgKgA8A8A8A8A8A8A8BUAHgHgHgHgHgHgHgKgA8A8A8A8A8A8A8BUAHgHgHgHgHgHgHgKgA8A8A8A8A8A8A8D//2Q==",
    ),
    Sample(
        "JPEG-LS",
        uid.JPEGLSLossless,
        RAMP,
        "/9j/9wALDAAIAAgBAREA/9oACAEBAAAAAJ/f399e399AACAQH58enh2IAAAQHRycG5san5/zQzMjEwLz4/xcWlhWVFJ6f0oJyYlJCM8P4REJA/fP"
        "Ts/bx27dOXJ0/9k=",
    ),
    Sample(
        "JPEG 2000",
        uid.JPEG2000Lossless,
        STEPS,
        "/0//UQApAAAAAAAgAAAAIAAAAAAAAAAAAAAAIAAAACAAAAAAAAAAAAABCwEB/1IADAAAAAEABQQEAAH/XAATQGBoaHBoaHBoaHBoaHBoaHD/ZAAl"
        "AAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjL/kAAKAAAAAACJAAH/k8fsBAl9wfmBT/AGBFMEVH/A/AFj+QYADQIFAfcLPYSGUDnA"
        "faDw/YIAIhoIXQumDwN/3VDyB9p3wD6hCD8w4BFQUi1npFLg9KQA8U9//38RUFQFWZ88o0AbhVc5E8A+oLg/MMAXKYygWNgwq3D3iQwiZfgoy9gE"
        "UX//f//Z",
    ),
    Sample(
        "HTJ2K",
        uid.HTJ2KLossless,
        LEVEL,
        "/0//UQApQAAAAAAgAAAAIAAAAAAAAAAAAAAAIAAAACAAAAAAAAAAAAABCwEB/1AACAACAAAAAP9SAAwAAAABAAUEBEAB/1wAE0BgaGhwaGhwaGhw"
        "aGhwaGhw/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS4y/5AACgAAAAAAFAAB/5OAgICAgID/2Q==",
    ),
)
"""Bytes of the streams come from encoders written from the standards (lossless and extended JPEG), Pillow, CharLS and OpenJPEG."""
