"""Tables on the terminal."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from mammoseg.wording import counted

PIPED_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Rows with the same keys; the keys are the header. What does not fit the terminal is folded, never cut off."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(width=width, color_system=None, markup=False, emoji=False, highlight=False)
    console.print(table)


def totalled(reasons: Mapping[str, int]) -> str:
    """`3 files: spot view (2), looks like a mask (1)`"""
    return f"{counted(sum(reasons.values()), 'file')}: " + ", ".join(f"{why} ({n})" for why, n in reasons.items())
