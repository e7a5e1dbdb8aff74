"""Writing files so that a reader sees the old content or the whole new one, never a part.

The new content is written into a temporary file beside the old one, `.NAME.XXXXXXXX.part.SUFFIX`, which is new (a link or file
that lies there already is not touched) and locked as long as its process lives. What a killed process left is unlocked.
"""

import json
import math
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from mammoseg.io.lock import NoLocksError, lock_file

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.[^.]+)?")


@contextmanager
def atomic_path(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """A new, empty file in the folder of `path`, with its suffix; renamed over `path` when the block ends well.

    The folder is created if missing. The content reaches the disk before the rename. On an error the temporary file is
    removed and `path` stays as it was. `mode` are its access rights, less the umask. Raises FileNotFoundError if the block
    has written nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, descriptor = _new_file(path, mode)
    try:
        yield temporary
        with temporary.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise FileNotFoundError(0, "nothing was written", str(path))
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files in `folder` whose processes were killed. Those of others that still write stay."""
    for path in [path for path in folder.glob(".*.part*") if _TEMPORARY.fullmatch(path.name)]:
        with suppress(OSError):  # of another user, or a link: not ours
            descriptor = lock_file(path)
            if descriptor is not None:
                path.unlink()
                os.close(descriptor)


def _new_file(path: Path, mode: int) -> tuple[Path, int]:
    """An empty file and a descriptor that locks it, where the file system can."""
    new = os.O_CREAT | os.O_EXCL
    while True:
        temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
        with suppress(FileExistsError, FileNotFoundError):  # taken, or taken for a leftover before it was locked
            try:
                descriptor = lock_file(temporary, new, mode)
            except NoLocksError:
                temporary.unlink()
                descriptor = os.open(temporary, os.O_RDWR | new, mode)
            if descriptor is not None:
                return temporary, descriptor


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, indented by 2. NaN and infinities become null; numpy numbers and arrays become plain ones.

    Raises TypeError for a value JSON has no form for.
    """
    write_text(path, json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """As `write_json` writes it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
