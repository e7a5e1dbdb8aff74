"""A table of text that somebody else has made, as `mammoseg.ingest.tables.read_table` gives it, and its words for nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

UNKNOWN = frozenset(
    {"", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", "nil", "-", "--", ".", "?", "unknown", "missing"}
)
"""What stands in cells whose value is unknown, in lower case and without spaces around it."""


class TextTable(Protocol):
    """Cells as text."""

    @property
    def path(self) -> Path: ...
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Mapping[int, Mapping[str, str]]:
        """By the number of the row in the file."""
        ...

    @property
    def misfits(self) -> Sequence[int]:
        """Rows of another length than the header, which are not in `rows`."""
        ...
