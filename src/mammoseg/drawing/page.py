"""An HTML page about a run: the numbers, figures of images, and what was done and how long it took."""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mammoseg.drawing.html import Html, page, table
from mammoseg.io.atomic import write_text

_STYLE = """
img { max-width: 100%; display: block } code { background: #f2f2f2 }
figure { margin: 0 0 1.2rem } figcaption { font-weight: 600; margin-bottom: .3rem }
.results { display: flex; flex-wrap: wrap; gap: 1rem 4rem } .results figure { flex: 1 1 22rem; max-width: 36rem }
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


def write_page(
    path: Path,
    title: str,
    intro: str,
    results: Sequence[Mapping[str, str]],
    examples: Sequence[Figure],
    steps: Sequence[Step] = (),
    chart: Figure | None = None,
) -> None:
    """Write the page; pictures and folders are linked relative to it, so the whole folder can be moved.

    `results` are rows with the same keys, `chart` stands beside them, `examples` below.
    """
    folder = path.parent
    done = [(step.title, step.detail, f"{step.seconds:.1f}", _link(step.folder, folder)) for step in steps]
    numbers = table(list(results[0]) if results else [], [list(row.values()) for row in results])
    parts = [
        f"<p>{html.escape(intro)}</p>",
        f"<h2>Steps</h2>{table(['step', 'what', 'seconds', 'files'], done)}" if done else "",
        f"<h2>Results</h2><div class='results'>{numbers}{_figure(chart, folder) if chart else ''}</div>",
        "<h2>Images</h2>",
        *(_figure(example, folder) for example in examples),
    ]
    write_text(path, page(title, _STYLE, parts))


def _figure(figure: Figure, folder: Path) -> str:
    source, caption = quote(_relative(figure.path, folder)), html.escape(figure.caption)
    image = f"<a href='{source}'><img src='{source}' loading='lazy' alt='{caption}'></a>"
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def _link(target: Path, folder: Path) -> Html:
    relative = _relative(target, folder)
    return Html(f"<a href='{quote(relative)}'><code>{html.escape(relative)}</code></a>")


def _relative(target: Path, folder: Path) -> str:
    return Path(os.path.relpath(target, folder)).as_posix()
