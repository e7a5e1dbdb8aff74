"""How a DICOM file is known: by its first bytes."""

LENGTH = 132
"""Bytes needed."""


def looks_like_dicom(start: bytes) -> bool:
    """The DICOM prefix, or (files without it) a first element of group 2 or 8 in either byte order."""
    if start[128:132] == b"DICM":
        return True
    little = start[:1] in (b"\x02", b"\x08") and start[1:2] == b"\0" and start[3:4] in (b"\0", b"\1")
    return len(start) >= 8 and (little or (start[:2] == b"\0\x08" and start[2:3] == b"\0"))
