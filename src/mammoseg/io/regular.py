"""Opens image files that come from outside: regular files only, of a size that an image can have.

A file with holes can announce more than there is memory.
"""

import hashlib
import os
from io import BufferedReader
from pathlib import Path

from mammoseg import bounded
from mammoseg.io.errors import ImageReadError

MAX_BYTES = 1 << 30
"""Largest file read as a whole. A mammogram of 3328 x 2560 pixels takes 17 MB, a film scanned at 25 um 200 MB."""


def open_regular(path: Path, largest: int | None = MAX_BYTES) -> BufferedReader:
    """The file, open for reading. Raises ImageReadError if it is missing, not readable, no regular file or too large.

    `largest` in bytes; None for those who read no more than the beginning.
    """
    try:
        file = bounded.open_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path cannot be used"
        raise ImageReadError(
            f"{path}: the file cannot be read ({reason}). Expected a readable image file. "
            "Check the path and the access rights."
        ) from None
    size = os.fstat(file.fileno()).st_size
    if largest is None or size <= largest:
        return file
    file.close()
    raise ImageReadError(
        f"{path}: the file is too large ({size} bytes). Expected at most {largest} bytes, many times a "
        "mammogram. The file is damaged or no single image: export it again."
    )


def content_hash(path: Path) -> str:
    """SHA-256 of the whole file, in 10 ms for 17 MB. Raises ImageReadError like `open_regular`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
