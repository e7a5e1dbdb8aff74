"""HTML pages: what each of them begins with, and tables whose cells are escaped."""

import html
from collections.abc import Iterable, Sequence

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem } td.n { text-align: right; font-variant-numeric: tabular-nums }
th, td { padding: .2rem 1.2rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top }
.notice { background: #fff4d6; padding: .6rem 1rem; border-left: 4px solid #e0a800 } h2 { margin-top: 2rem }
"""


class Html(str):
    """Text that is HTML already."""


def page(title: str, style: str, parts: Iterable[str]) -> str:
    """The whole file; `style` comes after that of all pages."""
    shown = html.escape(title)
    start = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{shown}</title><style>{_STYLE}{style}</style></head><body><h1>{shown}</h1>",
        "<p class='notice'>For research use only. Not a medical device; not for clinical decisions.</p>",
    ]
    return "\n".join([*start, *parts, "</body></html>\n"])


def table(header: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """Whole numbers stand at the right; `Html` stays as it is."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _cell(value: object) -> str:
    shown = value if isinstance(value, Html) else html.escape(str(value))
    return f"<td{' class=n' if isinstance(value, int) else ''}>{shown}</td>"
