"""One HTML page per run: what was done, how long it took, the numbers, and overlays of exams."""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mammoseg.io.atomic import write_text

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .25rem .9rem .25rem 0; text-align: left;
border-bottom: 1px solid #ddd; vertical-align: top } img { max-width: 100%; display: block; margin: .4rem 0 1rem }
.notice { background: #fff4d6; padding: .6rem 1rem; border-left: 4px solid #e0a800 } code { background: #f2f2f2 }
"""


@dataclass(frozen=True)
class Step:
    """One line of the account of a run."""

    title: str
    detail: str
    seconds: float
    folder: Path


@dataclass(frozen=True)
class Figure:
    """A picture with its caption."""

    path: Path
    caption: str


def write_report(
    path: Path,
    title: str,
    intro: str,
    steps: Sequence[Step],
    table: Sequence[Mapping[str, str]],
    figures: Sequence[Figure],
) -> None:
    """Write the page; pictures and folders are linked relative to it, so the whole folder can be moved."""
    folder = path.parent
    header = list(table[0]) if table else []
    parts = [
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(title)}</title>",
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        "<p class='notice'>For research use only. Not a medical device; not for clinical decisions.</p>",
        f"<p>{html.escape(intro)}</p>",
        "<h2>Steps</h2>",
        _table(
            ["step", "what", "seconds", "files"],
            [[html.escape(s.title), html.escape(s.detail), f"{s.seconds:.1f}", _link(s.folder, folder)] for s in steps],
        ),
        "<h2>Results</h2>",
        _table(header, [[html.escape(row[name]) for name in header] for row in table]),
    ]
    for figure in figures:
        source = html.escape(_relative(figure.path, folder))
        parts.append(
            f"<h3>{html.escape(figure.caption)}</h3><a href='{source}'><img src='{source}' loading='lazy' alt=''></a>"
        )
    write_text(path, "\n".join([*parts, "</body></html>\n"]))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _link(target: Path, folder: Path) -> str:
    relative = html.escape(_relative(target, folder))
    return f"<a href='{relative}'><code>{relative}</code></a>"


def _relative(target: Path, folder: Path) -> str:
    return Path(os.path.relpath(target, folder)).as_posix()
