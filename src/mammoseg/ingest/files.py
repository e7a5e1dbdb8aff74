"""Every file below a folder, each once: what is not followed or cannot be read is told with a reason.

Links are followed after everything else, so that a file is known by its own name rather than by that of a link to it.
"""

import os
import unicodedata
from collections import deque
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath
from stat import S_ISDIR, S_ISREG

import pandas as pd

from mammoseg.ingest.examine import Seen
from mammoseg.io.cells import write_csv

_HIDDEN = "a hidden file or folder"


def find_files(root: Path, without: Path | None = None) -> tuple[list[PurePosixPath], list[Seen]]:
    """The regular files below `root`, relative to it and sorted, and what was skipped: unusable if images may be lost.

    Raises nothing. Nothing in the folder `without` (links resolved), where results of the program lie.
    """
    files: list[PurePosixPath] = []
    skipped: list[Seen] = []
    seen: set[tuple[int, int]] = set()
    waiting, links = deque([root]), deque[Path]()
    while waiting or links:
        linked = not waiting
        path = links.popleft() if linked else waiting.popleft()
        place = PurePosixPath(path.relative_to(root).as_posix())
        if path == without:
            continue
        if path != root and (reason := _HIDDEN if path.name.startswith(".") else unreadable_name(path.name)):
            skipped.append(Seen(place, "no image" if reason == _HIDDEN else "unusable", reason))
            continue
        try:
            status = path.stat()
            identity = (status.st_dev, status.st_ino)
            known = linked and identity in seen
            if known:
                skipped.append(Seen(place, "no image", "a link to what is searched already"))
            elif S_ISREG(status.st_mode):
                files.append(place)
            elif S_ISDIR(status.st_mode):
                inside = sorted(path.iterdir())
                links += [entry for entry in inside if entry.is_symlink()]
                waiting += [entry for entry in inside if not entry.is_symlink()]
            else:
                skipped.append(Seen(place, "no image", "no regular file (a pipe, a device or the like)"))
            seen.add(identity)
        except OSError as error:
            why = "a link that leads nowhere" if linked else f"cannot be read ({error.strerror})"
            skipped.append(Seen(place, "no image" if linked else "unusable", why))
    return sorted(files), sorted(skipped, key=lambda entry: entry.place)


def unreadable_name(name: str) -> str | None:
    """Why a path with this name cannot stand in a table of text."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return "the name holds control characters or is no valid text: rename it"
    if name != name.strip():
        return "the name begins or ends with white space: rename it"
    return None


def write_left_out(path: Path, found: Iterable[Seen]) -> None:
    """Write everything in `found` that is not used, and why: for whoever has the files, since it holds their paths.

    Names that are no text are written with escapes.
    """
    rows = [(readable(seen.place), seen.status, seen.why, seen.detail) for seen in found if seen.status != "used"]
    write_csv(path, pd.DataFrame(rows, columns=["path", "status", "why", "detail"]))


def readable(path: PurePath | str) -> str:
    """A path as one line of text: bytes that are no UTF-8 and control characters as `\\xff`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
