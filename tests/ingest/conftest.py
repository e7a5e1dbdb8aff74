"""Small DICOM files as data sets have them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def write_dicom() -> Callable[..., Path]:
    """`write_dicom(path, pixels (H, W) uint8 or uint16, Tag=value, ...)` writes an uncompressed file."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    def write(path: Path, pixels: NDArray[np.generic], **tags: object) -> Path:
        bits = 8 * pixels.itemsize
        uid = generate_uid(entropy_srcs=[str(path)])
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, uid
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content = Dataset()
        content.file_meta = meta
        content.SOPClassUID, content.SOPInstanceUID, content.Modality = SecondaryCaptureImageStorage, uid, "MG"
        content.Rows, content.Columns = pixels.shape
        content.SamplesPerPixel, content.PhotometricInterpretation, content.PixelRepresentation = 1, "MONOCHROME2", 0
        content.BitsAllocated, content.BitsStored, content.HighBit = bits, bits, bits - 1
        for name, value in tags.items():
            setattr(content, name, value)
        data = pixels.tobytes()
        content.add_new("PixelData", "OW" if bits > 8 else "OB", data + b"\0" * (len(data) % 2))
        path.parent.mkdir(parents=True, exist_ok=True)
        content.save_as(path, enforce_file_format=True)
        return path

    return write
