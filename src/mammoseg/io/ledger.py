"""The error ledger: which images of a long run failed, at which step and why. A run goes on without them.

An entry is one line of a CSV file, on the disk as soon as `add` returns. One process writes a ledger.
"""

import csv
import io
import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mammoseg.bounded import read_bounded
from mammoseg.io.atomic import write_text
from mammoseg.io.cells import escape, unescape
from mammoseg.io.errors import RunFileError

logger = logging.getLogger(__name__)

COLUMNS = ("image_id", "path", "step", "error", "message")


class Ledger:
    """Entries of `path`, the latest one per image. An existing file is continued."""

    def __init__(self, path: Path) -> None:
        """Raises RunFileError if `path` exists and is no ledger."""
        self.path = path
        self._entries = {entry[0]: entry for entry in _read(path)}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, image_id: str, path: Path | str, step: str, error: BaseException, message: str = "") -> None:
        """Note that `step` (read, prepare, predict ...) failed for an image; its earlier entry is replaced.

        `message` stands for what the error says, where that must not be written.
        """
        entry = texts_of(image_id, path, step, error, message)
        earlier = self._entries.get(image_id)
        if earlier == entry:
            return
        self._entries[image_id] = entry
        if earlier is not None or not self.path.exists():
            self._rewrite()
            return
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines([entry]))
            file.flush()
            os.fsync(file.fileno())

    def remove(self, image_id: str, step: str | None = None) -> None:
        """Forget the entry of an image that has succeeded since (with `step`: only if it failed there)."""
        entry = self._entries.get(image_id)
        if entry is not None and step in (None, entry[2]):
            del self._entries[image_id]
            self._rewrite()

    def image_ids(self) -> list[str]:
        """The images with an entry, sorted."""
        return sorted(self._entries)

    def counts(self) -> dict[str, int]:
        """Step -> number of images that failed there."""
        return dict(Counter(entry[2] for entry in self._entries.values()))

    def _rewrite(self) -> None:
        write_text(self.path, table_of(self._entries.values()))


def read_errors(folder: Path) -> pd.DataFrame:
    """The ledger `errors.csv` of a run folder as a table of text with the columns COLUMNS; no file means no errors.

    Raises RunFileError if the file is no ledger.
    """
    return pd.DataFrame(_read(folder / "errors.csv"), columns=list(COLUMNS), dtype=object)


def texts_of(image_id: str, path: Path | str, step: str, error: BaseException, message: str = "") -> tuple[str, ...]:
    """An entry, as `Ledger.add` takes it."""
    return tuple(map(_one_line, (image_id, path, step, type(error).__name__, message or error)))


def table_of(entries: Iterable[tuple[str, ...]]) -> str:
    """The content of a ledger."""
    return _lines([COLUMNS, *entries])


def _one_line(value: object) -> str:
    """No line breaks, and nothing that a terminal would follow as an instruction."""
    text = " ".join(str(value).split()).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _lines(entries: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([map(escape, entry) for entry in entries])
    return text.getvalue()


def _read(path: Path) -> list[tuple[str, ...]]:
    """All complete entries. The half line a killed run may leave at the end is dropped: that image is tried again."""
    if not path.exists():
        return []
    try:
        *lines, torn = read_bounded(path).decode("utf-8").split("\n")
        entries = [tuple(map(unescape, row)) for row in csv.reader(lines)]
        if entries[:1] != [COLUMNS] or any(len(entry) != len(COLUMNS) for entry in entries):
            raise ValueError(f"expected the columns {', '.join(COLUMNS)} in every line")
    except (OSError, ValueError, csv.Error) as error:
        raise RunFileError(f"{path} is no error ledger ({error}). Move it away and start the command again.") from error
    if torn:
        logger.warning("%s: the last line is incomplete and left out", path)
        write_text(path, _lines(entries))
    return entries[1:]
