"""An HTML page about a run: the numbers, figures of images, and what was done and how long it took."""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mammoseg.io.atomic import write_text

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1600px; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: .5rem 0 } img { max-width: 100%; display: block }
th, td { padding: .2rem 1rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top }
figure { margin: 0 0 1.2rem } figcaption { font-weight: 600; margin-bottom: .3rem } code { background: #f2f2f2 }
.notice { background: #fff4d6; padding: .6rem 1rem; border-left: 4px solid #e0a800 }
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
    table: Sequence[Mapping[str, str]],
    examples: Sequence[Figure],
    steps: Sequence[Step] = (),
    chart: Figure | None = None,
) -> None:
    """Write the page; pictures and folders are linked relative to it, so the whole folder can be moved.

    `table` are the results as rows with the same keys, `chart` stands beside them, `examples` below.
    """
    folder = path.parent
    header = list(table[0]) if table else []
    done = [[html.escape(s.title), html.escape(s.detail), f"{s.seconds:.1f}", _link(s.folder, folder)] for s in steps]
    results = [[html.escape(row[name]) for name in header] for row in table]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        "<p class='notice'>For research use only. Not a medical device; not for clinical decisions.</p>",
        f"<p>{html.escape(intro)}</p>",
        f"<h2>Steps</h2>{_table(['step', 'what', 'seconds', 'files'], done)}" if done else "",
        f"<h2>Results</h2><div class='results'>{_table(header, results)}{_figure(chart, folder) if chart else ''}</div>",
        "<h2>Images</h2>",
        *(_figure(example, folder) for example in examples),
        "</body></html>\n",
    ]
    write_text(path, "\n".join(parts))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div><table><tr>{head}</tr>\n{body}</table></div>"


def _figure(figure: Figure, folder: Path) -> str:
    source, caption = quote(_relative(figure.path, folder)), html.escape(figure.caption)
    image = f"<a href='{source}'><img src='{source}' loading='lazy' alt='{caption}'></a>"
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def _link(target: Path, folder: Path) -> str:
    relative = _relative(target, folder)
    return f"<a href='{quote(relative)}'><code>{html.escape(relative)}</code></a>"


def _relative(target: Path, folder: Path) -> str:
    return Path(os.path.relpath(target, folder)).as_posix()
