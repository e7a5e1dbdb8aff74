"""Tables on the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Rows with the same keys; the keys are the header."""
    table = Table(box=None, header_style="bold")
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    console = Console()
    console.print(table, width=console.width if console.is_terminal else 120)
