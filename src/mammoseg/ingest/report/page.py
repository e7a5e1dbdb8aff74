"""The quality report as one HTML page: the numbers of summary.py, in words, and the pictures beside it.

It needs nothing else, but for the pictures (ingest/thumbnail.py), which are loaded when one scrolls to them.
"""

import html
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mammoseg.drawing.html import Html, page, table
from mammoseg.ingest.report.summary import FORMATS, window_cells
from mammoseg.ingest.thumbnail import thumbnail_name
from mammoseg.io.atomic import write_text
from mammoseg.wording import counted, listed

_SHOWN = 40  # rows named for a finding, exams listed
_STYLE = """
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); gap: .6rem }
figure { margin: 0; padding: 3px; border: 2px solid #eee; content-visibility: auto; contain-intrinsic-size: 110px 180px }
figure.found { border-color: #e69f00 } figure:target { outline: 4px solid #0072b2 }
figure img { display: block; width: 100%; height: 150px; object-fit: contain; background: #000 }
figcaption { font-size: 12px; overflow-wrap: anywhere }
"""
_STATUS = {
    "unusable": ("Could not be used", "Files that should be images and are not in the manifest."),
    "left out": ("Left out on purpose", "Images of other kinds than plain mammograms, masks and copies."),
    "no image": ("Other files", "Neither mammograms nor meant to be."),
}


def write_page(path: Path, quality: Mapping[str, Any], manifest: str, left_out: str, pictures: str) -> None:
    """Write the page about `quality` (see `summarise`).

    The names of the manifest, of the list of files and of the folder with thumbnails are told in it.
    """
    counts, windows = quality["counts"], window_cells(quality)
    checked = "" if quality["pixels_checked"] else " The pixels were not checked (--no-pixels)."
    parts = [
        f"<p>{counted(counts['images'], 'image')} of {counted(counts['exams'], 'exam')} of "
        f"{counted(counts['patients'], 'patient')} can be used, out of {counted(counts['files'], 'file')}.{checked}</p>",
        f"<p>Rows are those of <code>{html.escape(manifest)}</code> in a spreadsheet: the header is row 1. Files that are "
        f"not in it are listed in <code>{html.escape(left_out)}</code>. Those two hold ids, dates and paths; this page does "
        "not.</p>",
        "<h2>Findings</h2>",
        _findings(quality),
        "<h2>Images</h2>",
        table(("view", "left", "right"), [(v, sides["L"], sides["R"]) for v, sides in quality["views"].items()]),
        "<h2>Pixel sizes and windows</h2>",
        table(("pixel size", "images"), list(quality["pixel_sizes"].items())),
        *([table(windows[0], [[*window.values()] for window in windows])] if windows else []),
        "<h2>Exams</h2>",
        _exams(quality["exams"]),
        *(_files(quality, status) for status in _STATUS),
        *([f"<p>Names: {html.escape(quality['pattern']['advice'])}.</p>"] if quality["pattern"] else []),
        *_labels(quality["labels"]),
        "<h2>Devices and formats</h2>",
        table(("manufacturer", "model", "images"), [[*device.values()] for device in quality["devices"]]),
        *(table((name.replace("_", " "), "images"), list(quality[name].items())) for name in FORMATS),
        *([table(("flag", "images"), list(quality["flags"].items()))] if quality["flags"] else []),
        *_pictures(quality, pictures),
    ]
    write_text(path, page("Quality of the images", _STYLE, parts))


def _findings(quality: Mapping[str, Any]) -> str:
    unusable, images = sum(quality["files"]["unusable"].values()), quality["counts"]["images"]
    findings = quality["findings"]
    lost = f"<p>{counted(unusable, 'file')} could not be used: see below.</p>" if unusable else ""
    if not images:
        return lost + "<p>There is no image that can be used.</p>"
    if not findings:
        return lost + f"<p>Nothing was found about the {counted(images, 'image')} that can be used.</p>"
    shown = {picture["row"] for picture in quality["thumbnails"]}
    cells = [(f["what"], f["images"] or "", _rows(f["rows"], shown)) for f in findings]
    return lost + table(("what", "images", "rows"), cells)


def _pictures(quality: Mapping[str, Any], folder: str) -> list[str]:
    """A thumbnail per image; those with findings stand out and say which. What most images share is no reason to look."""
    if not quality["thumbnails"]:
        return []
    found: dict[int, list[str]] = {}
    own = [finding for finding in quality["findings"] if 2 * len(finding["rows"]) <= quality["counts"]["images"]]
    for finding in own:
        for row in finding["rows"]:
            found.setdefault(row, []).append(finding["what"])
    return [
        f"<h2 id='pictures'>Pictures</h2><p class='notice'>These show breasts of patients, and whatever is written on the "
        f"images. They lie in the folder <code>{html.escape(folder)}</code>: it is as confidential as the images, and without it "
        "this page shows none.</p><p>In the orientation of the files. Orange: with findings that most "
        "images have not, told when the pointer rests on it."
        "</p><div class='pictures'>",
        *(_figure(shown, found.get(shown["row"], []), folder) for shown in quality["thumbnails"]),
        "</div>",
    ]


def _figure(picture: Mapping[str, Any], findings: Sequence[str], folder: str) -> str:
    row = picture["row"]
    source = html.escape(f"{quote(folder)}/{thumbnail_name(row)}")
    told = f" class='found' title='{html.escape('; '.join(findings))}'" if findings else ""
    caption = html.escape(f"row {row}: {picture['view']}")
    shown = f"<img src='{source}' alt='{caption}' loading='lazy'><figcaption>{caption}</figcaption>"
    return f"<figure id='r{row}'{told}>{shown}</figure>"


def _exams(exams: Mapping[str, Any]) -> str:
    text = (
        f"<p>{exams['complete']} with all four standard views, {exams['incomplete']} without; "
        f"{exams['with_extra_views']} with further views, {exams['with_repeated_views']} with a view more than once.</p>"
    )
    if exams["missing"]:
        text += table(("missing", "exams"), list(exams["missing"].items()))
    odd = exams["not_exactly_standard"]
    if odd:
        cells = [(_rows(e["rows"]), *(", ".join(e[n]) for n in ("missing", "extra", "repeated"))) for e in odd[:_SHOWN]]
        text += table(("rows", "missing", "further", "repeated"), cells)
    if len(odd) > _SHOWN:
        text += f"<p>... and {len(odd) - _SHOWN} more: see the JSON file.</p>"
    return text


def _files(quality: Mapping[str, Any], status: str) -> str:
    """Files that are not used by reason; of some of those that should be is it known that they are mammograms."""
    title, text = _STATUS[status]
    reasons, mammograms = quality["files"][status], quality["unusable_mammograms"]
    title = f"<h2>{title}: {sum(reasons.values())}</h2>"
    if not reasons:
        return f"{title}<p>None.</p>"
    if status != "unusable":
        return f"{title}<p>{text}</p>{table(('why', 'files'), list(reasons.items()))}"
    known = f" Of {sum(mammograms.values())} of them header or name say that they are mammograms."
    cells = [(why, count, mammograms.get(why, 0)) for why, count in reasons.items()]
    return f"{title}<p>{text}{known}</p>{table(('why', 'files', 'of these mammograms'), cells)}"


def _labels(labels: Mapping[str, Any] | None) -> list[str]:
    if labels is None:
        return []
    text = (
        f"<p>{counted(labels['images_with_label'], 'image')} with a label "
        f"({', '.join(f'{count} {name}' for name, count in labels['images_of_class'].items())}), "
        f"{labels['images_without_label']} without, "
        f"{labels['images_without_row']} of them in no row of the table. "
        f"{labels['rows_without_image']} of {counted(labels['rows'], 'row')} of the table are about no image"
        f"{_listed(labels['unmatched_rows'])}. {labels['rows_corrected']} fit only when zeros in front, a decimal point, "
        f"capitals or folders are ignored{_listed(labels['corrected_rows'])}.</p>"
    )
    columns = [(column, name) for name, column in labels["columns"].items()]
    return ["<h2>Labels</h2>", text, table(("column of the table", "read as"), columns)]


def _listed(numbers: Sequence[int]) -> str:
    return f" (rows {_rows(numbers)})" if numbers else ""


def _rows(numbers: Sequence[int], shown: Collection[int] = ()) -> Html:
    """Numbers of rows, as links to the pictures that are shown."""
    links = [f"<a href='#r{number}'>{number}</a>" if number in shown else str(number) for number in numbers]
    return Html(listed(links, _SHOWN))
