"""Reading files that others may have made: regular files only, up to a size, JSON that is not nested without end.

A pipe or /dev/zero never ends, and a few kilobytes of brackets exhaust Python's stack. Both are told like any other damage.
"""

import errno
import hashlib
import json
import os
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import Any

MOST_TEXT_BYTES = 256 * 2**20
"""Largest file of text that is read; far above any description, record or table of errors."""


def open_regular(path: Path) -> BufferedReader:
    """A regular file, open for reading. Raises OSError if it cannot be read or is a pipe, a device or the like."""
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    if not S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no regular file but a pipe, a device or the like", str(path))
    return file


def _without_waiting(path: str, flags: int) -> int:
    """Opening a pipe that nobody writes to waits otherwise."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_bounded(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> bytes:
    """The content of a regular file. Raises OSError if it cannot be read or is none, ValueError if it is larger."""
    with open_regular(path) as file:
        known_larger = os.fstat(file.fileno()).st_size > most_bytes
        content = b"" if known_larger else file.read(most_bytes + 1)
    if known_larger or len(content) > most_bytes:
        raise ValueError(f"it has more than {most_bytes} bytes")
    return content


def sha256_of(path: Path) -> str:
    """Hash of a regular file's content, read in pieces. Raises OSError if it cannot be read or is none."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """What a JSON file in UTF-8 holds. Raises OSError if it cannot be read, ValueError if it is no JSON or nested too deeply."""
    return parse_json(read_bounded(path))


def parse_json(text: bytes | str) -> Any:
    """Like `json.loads`, with ValueError in place of RecursionError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
