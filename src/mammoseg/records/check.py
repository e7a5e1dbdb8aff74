"""One thing that was checked, and how it came out."""

from dataclasses import dataclass
from typing import Literal

Result = Literal["PASS", "WARN", "FAIL"]


@dataclass(frozen=True)
class Check:
    """A line of a report."""

    result: Result
    subject: str
    """What was checked."""
    found: str
    """What is there, in plain words."""
    remedy: str = ""
    """What to do; nothing where it passed."""
