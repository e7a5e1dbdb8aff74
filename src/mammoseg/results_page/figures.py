"""The figures of an evaluation: embedded in the page, with links to the files beside it."""

import base64
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mammoseg.bounded import read_bounded

logger = logging.getLogger(__name__)

MOST_BYTES = 2**22
"""Largest figure that is embedded; a larger one is linked only."""
MOST_FIGURES = 40
_EMBEDDED = {".svg": "image/svg+xml", ".png": "image/png"}
"""In this order: the first that is there and small enough."""
_KINDS = (".pdf", ".svg", ".png", ".csv")
_IN_TABLES = "Its numbers are in the tables of this page."


@dataclass(frozen=True)
class Link:
    """A file beside the page."""

    name: str
    href: str


@dataclass(frozen=True)
class Figure:
    """A picture with its caption; without `data`, a link only."""

    title: str
    alt: str
    """What is told to those who do not see it."""
    data: str
    """As an address that begins with data:."""
    links: tuple[Link, ...]


def figures_in(folder: Path, titles: Mapping[str, str], alts: Mapping[str, str]) -> list[Figure]:
    """The figures in a folder that are called by a key of `titles`, or by one with `_` and something behind it, in its order; of
    several such keys by the longest. At most MOST_FIGURES: it is told if there are more.

    Pictures are embedded as images: nothing in them can run. Others that lie there are not ours, and may be anything. `alts`:
    what a figure shows in words; without, that its numbers are in the tables.
    """
    names = sorted({path.stem for path in folder.glob("[!.]*") if path.suffix in _EMBEDDED})
    key_of = {name: max((k for k in titles if f"{name}_".startswith(f"{k}_")), key=len, default=None) for name in names}
    found = [(name, key) for key in titles for name in names if key_of[name] == key]
    if len(found) > MOST_FIGURES:
        logger.warning(
            "results page: %d figures of %d are in the page; all are in %s", MOST_FIGURES, len(found), folder
        )
    return [
        Figure(
            f"{titles[key]}{name.removeprefix(key).replace('_', ' ')}",
            alts.get(name, _IN_TABLES),
            _data(folder, name),
            links_to(folder, [name + kind for kind in _KINDS]),
        )
        for name, key in found[:MOST_FIGURES]
    ]


def links_to(folder: Path, names: Sequence[str]) -> tuple[Link, ...]:
    """Those files that are there."""
    return tuple(Link(name, quote(name)) for name in names if (folder / name).is_file())


def _data(folder: Path, name: str) -> str:
    for suffix, kind in _EMBEDDED.items():
        try:
            content = read_bounded(folder / f"{name}{suffix}", MOST_BYTES)
        except (OSError, ValueError):
            continue
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return ""
