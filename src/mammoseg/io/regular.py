"""Opens image files that come from outside: regular files only, of a size that an image can have.

A pipe waits for ever, a device never ends, and a file with holes can announce more than there is memory.
"""

import os
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG

from mammoseg.io.errors import ImageReadError

MAX_BYTES = 1 << 30
"""Largest file read as a whole. A mammogram of 3328 x 2560 pixels takes 17 MB, a film scanned at 25 um 200 MB."""


def open_regular(path: Path, largest: int | None = MAX_BYTES) -> BufferedReader:
    """The file, open for reading. Raises ImageReadError if it is missing, not readable, no regular file or too large.

    `largest` in bytes; None for those who read no more than the beginning.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path cannot be used"
        raise ImageReadError(
            f"{path}: the file cannot be read ({reason}). Expected a readable image file. "
            "Check the path and the access rights."
        ) from None
    status = os.fstat(file.fileno())
    if S_ISREG(status.st_mode) and (largest is None or status.st_size <= largest):
        return file
    file.close()
    if not S_ISREG(status.st_mode):
        raise ImageReadError(
            f"{path}: this is no regular file but a pipe, a device or the like. Expected an image file. "
            "Write the image to a file and give its path."
        )
    raise ImageReadError(
        f"{path}: the file is too large ({status.st_size} bytes). Expected at most {largest} bytes, many times a "
        "mammogram. The file is damaged or no single image: export it again."
    )


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe that nobody writes to waits otherwise."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
