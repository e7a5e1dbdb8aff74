"""The error of everything that reads DICOM files."""


class DicomReadError(ValueError):
    """A DICOM file that cannot be read or trusted. The message names the file and holds nothing of the patient."""
