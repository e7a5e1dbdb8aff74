"""What can be wrong with a DICOM file."""

from mammoseg.io.errors import ImageReadError


class DicomReadError(ImageReadError):
    """A DICOM file that cannot be read or used, with the reason; the message holds no patient data."""
