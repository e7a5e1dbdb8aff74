"""The table of files that are not used, with the reason: for whoever has the files, since it holds their paths."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePath

import pandas as pd

from mammoseg.ingest.examine import Seen
from mammoseg.io.cells import write_csv


def write_left_out(path: Path, found: Iterable[Seen]) -> None:
    """Write everything in `found` that is not used. Names that are no text are written with escapes."""
    rows = [(readable(seen.place), seen.status, seen.why, seen.detail) for seen in found if seen.status != "used"]
    write_csv(path, pd.DataFrame(rows, columns=["path", "status", "why", "detail"]))


def readable(path: PurePath | str) -> str:
    """A path as one line of text: bytes that are no UTF-8 and control characters as `\\xff`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
