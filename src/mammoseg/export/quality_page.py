"""The quality report as one HTML page that needs nothing else: the tables of export/quality.py, in words."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mammoseg.io.atomic import write_text

_SHOWN = 40  # rows named for a finding, exams listed
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem } td.n { text-align: right; font-variant-numeric: tabular-nums }
th, td { padding: .2rem 1.2rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top }
.notice { background: #fff4d6; padding: .6rem 1rem; border-left: 4px solid #e0a800 } h2 { margin-top: 2rem }
"""
_STATUS = {
    "unusable": ("Could not be used", "These look like mammograms and are not in the manifest."),
    "left out": ("Left out on purpose", "Images of other kinds than plain mammograms, masks and copies."),
    "no image": ("Other files", "Neither mammograms nor meant to be."),
}
_FORMATS = {
    "photometric": "Photometric interpretation",
    "bits_stored": "Bits stored",
    "transfer_syntax": "Transfer syntax",
}


def write_page(path: Path, quality: Mapping[str, Any], manifest: str, left_out: str) -> None:
    """Write the page about `quality` (see `summarise`); the names of manifest and list of files are told in it."""
    counts, checked = (
        quality["counts"],
        "" if quality["pixels_checked"] else " The pixels were not checked (--no-pixels).",
    )
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>Quality of the images</title><style>{_STYLE}</style></head><body><h1>Quality of the images</h1>",
        "<p class='notice'>For research use only. Not a medical device; not for clinical decisions.</p>",
        f"<p>{_count(counts['images'], 'image')} of {_count(counts['exams'], 'exam')} of "
        f"{_count(counts['patients'], 'patient')} can be used, out of {_count(counts['files'], 'file')}.{checked}</p>",
        f"<p>Rows are those of <code>{html.escape(manifest)}</code> in a spreadsheet: the header is row 1. Files that are "
        f"not in it are listed in <code>{html.escape(left_out)}</code>. Those two hold ids, dates and paths; this page does "
        "not.</p>",
        "<h2>Findings</h2>",
        _findings(quality["findings"]),
        "<h2>Images</h2>",
        _table(("view", "left", "right"), [(v, sides["L"], sides["R"]) for v, sides in quality["views"].items()]),
        *_windows(quality),
        "<h2>Exams</h2>",
        _exams(quality["exams"]),
        *(_files(title, text, quality["files"][status]) for status, (title, text) in _STATUS.items()),
        *_labels(quality["labels"]),
        "<h2>Devices and formats</h2>",
        _table(
            ("manufacturer", "model", "images"),
            [(d["manufacturer"], d["model"], d["images"]) for d in quality["devices"]],
        ),
        *(_table((title.lower(), "images"), list(quality[name].items())) for name, title in _FORMATS.items()),
        *([_table(("flag", "images"), list(quality["flags"].items()))] if quality["flags"] else []),
        "</body></html>\n",
    ]
    write_text(path, "\n".join(parts))


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "<p>Nothing was found.</p>"
    return _table(("what", "images", "rows"), [(f["what"], f["images"] or "", _rows(f["rows"])) for f in findings])


def _windows(quality: Mapping[str, Any]) -> list[str]:
    """Pixel sizes, and what of the breasts each window shows."""
    sizes = ["<h2>Pixel sizes and windows</h2>", _table(("pixel size", "images"), list(quality["pixel_sizes"].items()))]
    cells = [
        (
            w["recipes"],
            f"{w['window'][0]} x {w['window'][1]}",
            f"{w['in_window']:.0%}",
            f"{w['fills_window']:.0%}",
            w["images_below"],
            "yes" if w["fits"] else "no: made for digital images" if w["film_wanted"] else "no",
        )
        for w in quality["windows"]
    ]
    header = ("recipes", "window", "of the breast inside (median)", "of the window filled", "images below", "fits")
    return [*sizes, _table(header, cells)] if cells else sizes


def _exams(exams: Mapping[str, Any]) -> str:
    text = (
        f"<p>{exams['complete']} with all four standard views, {exams['incomplete']} without; "
        f"{exams['with_extra_views']} with further views, {exams['with_repeated_views']} with a view more than once.</p>"
    )
    if exams["missing"]:
        text += _table(("missing", "exams"), list(exams["missing"].items()))
    odd = exams["not_exactly_standard"]
    if odd:
        cells = [(_rows(e["rows"]), *(", ".join(e[n]) for n in ("missing", "extra", "repeated"))) for e in odd[:_SHOWN]]
        text += _table(("rows", "missing", "further", "repeated"), cells)
    if len(odd) > _SHOWN:
        text += f"<p>... and {len(odd) - _SHOWN} more: see the JSON file.</p>"
    return text


def _files(title: str, text: str, reasons: Mapping[str, int]) -> str:
    table = _table(("why", "files"), list(reasons.items())) if reasons else "<p>None.</p>"
    return f"<h2>{title}: {sum(reasons.values())}</h2><p>{text}</p>{table}"


def _labels(labels: Mapping[str, Any] | None) -> list[str]:
    if labels is None:
        return []
    text = (
        f"<p>{_count(labels['images_with_label'], 'image')} with a label, {labels['images_without_label']} without, "
        f"{labels['images_without_row']} of them in no row of the table. "
        f"{labels['rows_without_image']} of {_count(labels['rows'], 'row')} of the table are about no image"
        f"{_listed(labels['unmatched_rows'])}. {labels['rows_corrected']} fit only when zeros in front, a decimal point, "
        f"capitals or folders are ignored{_listed(labels['corrected_rows'])}.</p>"
    )
    columns = [(column, name) for name, column in labels["columns"].items()]
    return ["<h2>Labels</h2>", text, _table(("column of the table", "read as"), columns)]


def _listed(numbers: Sequence[int]) -> str:
    return f" (rows {_rows(numbers)})" if numbers else ""


def _rows(numbers: Sequence[int]) -> str:
    more = f" ... and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _cell(value: object) -> str:
    return f"<td{' class=n' if isinstance(value, int) else ''}>{html.escape(str(value))}</td>"
