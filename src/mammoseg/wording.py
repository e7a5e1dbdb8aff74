"""What messages say of several things: how many, and the first of them."""

from collections.abc import Sequence

SHOWN = 5
"""How many things a message names."""
LINES = "\n  "
"""Between things of which each has a line."""


def counted(number: int, what: str) -> str:
    """`1 image`, `2 images`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def p_value(p: float | None, least: float = 0.001) -> str:
    """`< 0.001`, `0.012`: with the digits of `least`; empty for what is undefined (NaN, or None of a file)."""
    if p is None or p != p:
        return ""
    digits = len(f"{least:f}".rstrip("0").partition(".")[2])
    return f"< {least:.{digits}f}" if p < least else f"{p:.{digits}f}"


def listed(things: Sequence[object], most: int = SHOWN, between: str = ", ", mark: str = "... ") -> str:
    """`a, b ... and 3 more`: the first `most` things as text. `between` may be a new line, on which the rest is then counted."""
    more = f"{between if between.isspace() else ' '}{mark}and {len(things) - most} more" if len(things) > most else ""
    return between.join(map(str, things[:most])) + more
