"""Which file an image came from: enough to find the very same pixels again, and to refer to them in DICOM."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DicomIdentity:
    """How other DICOM objects refer to an image (PS3.3, C.12.1 and C.7)."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    frame: int = 1
    """Number of the frame, from 1."""


@dataclass(frozen=True)
class Source:
    """The file behind an image, as it was when it was read."""

    path: Path | None
    """None: not to be told, since ids are pseudonyms."""
    sha256: str
    """Of the whole file."""
    rows: int
    columns: int
    """Pixels of the stored image, before anything is resampled."""
    pixel_mm: tuple[float, float] | None = None
    """Distance of rows and of columns in millimetres; None: unknown."""
    dicom: DicomIdentity | None = None
    """None: no DICOM file, or not to be told: these UIDs lead to the patient."""
