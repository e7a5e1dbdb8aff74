"""The quality of a scanned folder in numbers: how many images of which kind, which exams are complete, what was found.

Nothing in it leads to a person: images are rows of the manifest, files are counted by reason. Paths, dates and ids are
only in the manifest and in the list of files that were left out, which stay with the data.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import mammoseg
from mammoseg.data.window_fit import fits
from mammoseg.ingest.examine import NO_FIELDS, NO_MATCH, NO_NAME, Seen
from mammoseg.ingest.exams import Row
from mammoseg.ingest.guess import pattern_to_try
from mammoseg.ingest.labels import Labels
from mammoseg.ingest.quality import GREY, NO_BREAST, TEXT, WRONG_SIDE
from mammoseg.prep.config import PrepConfig
from mammoseg.records.label import CLASSES

FORMAT = 1
STANDARD = ("L-CC", "L-MLO", "R-CC", "R-MLO")
"""The views of a complete screening exam."""
FORMATS = ("photometric", "bits_stored", "transfer_syntax")
PIXEL_CHECKS = (WRONG_SIDE, GREY, TEXT, NO_BREAST)
NO_GUESS = "say how the names are built, e.g. --pattern '{patient}_{laterality}_{view}'"

FIRST_ROW = 2
"""Of a table in a spreadsheet, below its header."""
UNKNOWN = "unknown"
_FILMS = 0.3
"""Share of images with a background that is not 0 above which a folder is one of films: 36 % of mini-MIAS, 78 % of the films
of CBIS-DDSM, 19 % of digital mammograms that were saved as JPEG (inverted ones among them), none saved without losses."""


def summarise(
    images: Sequence[Row],
    found: Sequence[Seen],
    labels: Labels | None,
    pixels: bool,
    hashed: bool,
    windows: Mapping[str, PrepConfig] | None = None,
) -> dict[str, Any]:
    """Everything the report shows, ready to be written as JSON.

    `images` in the order of the manifest; `found` all files; `pixels` whether they were checked; `hashed` whether ids are
    salted hashes, so that they can be shown; `windows` those that were looked through (`Settings.windows`).
    """
    headers = [image.seen.header for image in images]
    known = [header for header in headers if header]
    return {
        "format": FORMAT,
        "mammoseg": mammoseg.__version__,
        "pixels_checked": pixels,
        "counts": {
            "files": len(found),
            "images": len(images),
            "exams": len({image.exam_id for image in images}),
            "patients": len({image.patient_id for image in images}),
        },
        "files": {
            status: _counted(seen.why for seen in found if seen.status == status)
            for status in ("left out", "unusable", "no image")
        },
        "unusable_mammograms": _counted(seen.why for seen in found if seen.status == "unusable" and seen.mammogram),
        "views": _views(images),
        "exams": _exams(images, hashed),
        "flags": _counted(flag for header in known for flag in header.flags),
        "findings": _findings(images),
        "devices": _devices(images),
        **{name: _counted(_cell(image, name) for image in images) for name in FORMATS},
        "pixel_sizes": pixel_sizes(images),
        "windows": judge_windows(images, windows or {}),
        "thumbnails": [
            {"row": n, "view": f"{image.seen.laterality}-{image.seen.view}"}
            for n, image in enumerate(images, FIRST_ROW)
            if image.seen.thumbnail is not None
        ],
        "labels": None if labels is None else _labels(labels),
        "pattern": _pattern(found),
        "images": [{"row": n, "image_id": image.image_id} for n, image in enumerate(images, FIRST_ROW)]
        if hashed
        else None,
    }


def _cell(image: Row, name: str) -> str:
    return str(image.cells()[name] or "not stated")


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _devices(images: Sequence[Row]) -> list[dict[str, Any]]:
    counts = Counter((_cell(image, "manufacturer"), _cell(image, "model")) for image in images)
    return [{"manufacturer": maker, "model": model, "images": n} for (maker, model), n in counts.most_common()]


def _views(images: Sequence[Row]) -> dict[str, dict[str, int]]:
    """View -> side -> images; the standard views first."""
    counts = Counter((image.seen.view or "", image.seen.laterality or "") for image in images)
    views = sorted({view for view, _ in counts}, key=lambda view: (view not in ("CC", "MLO"), view))
    return {view: {side: counts[view, side] for side in ("L", "R")} for view in views}


def _exams(images: Sequence[Row], hashed: bool) -> dict[str, Any]:
    """How many exams have the four standard views, and what is missing, more or repeated in the others."""
    exams: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, image in enumerate(images, FIRST_ROW):
        exams[image.exam_id].append((number, f"{image.seen.laterality}-{image.seen.view}"))
    odd = []
    missing: Counter[str] = Counter()
    complete = 0
    for exam_id, members in exams.items():
        views = Counter(view for _, view in members)
        absent = [view for view in STANDARD if view not in views]
        more = sorted(view for view in views if view not in STANDARD)
        repeated = sorted(view for view, count in views.items() if count > 1)
        complete += not absent
        if absent:
            missing[", ".join(absent)] += 1
        if absent or more or repeated:
            entry = {"rows": [number for number, _ in members], "missing": absent, "extra": more, "repeated": repeated}
            odd.append({"exam_id": exam_id, **entry} if hashed else entry)
    return {
        "complete": complete,
        "incomplete": len(exams) - complete,
        "missing": dict(missing.most_common()),
        "with_extra_views": sum(bool(entry["extra"]) for entry in odd),
        "with_repeated_views": sum(bool(entry["repeated"]) for entry in odd),
        "not_exactly_standard": odd,
    }


def _findings(images: Sequence[Row]) -> list[dict[str, Any]]:
    """What was found, most serious (pixels) and most frequent first, with the rows of the manifest."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, image in enumerate(images, FIRST_ROW):
        for text in image.findings:
            rows[text].append(number)
    makers = {image.seen.header.manufacturer for image in images if image.seen.header}
    if len(makers) > 1:
        rows["images of several manufacturers"] = []
    order = sorted(rows, key=lambda text: (text not in PIXEL_CHECKS, -len(rows[text]), text))
    return [{"what": text, "images": len(rows[text]), "rows": rows[text]} for text in order]


def _pattern(found: Sequence[Seen]) -> dict[str, Any] | None:
    """What to do if names tell no side and view; it quotes nothing of them."""
    if not any(seen.why in (NO_NAME, NO_MATCH, NO_FIELDS) for seen in found):
        return None
    pattern, advice = pattern_to_try(found) or (None, NO_GUESS)
    return {"advice": advice, "proposed": pattern}


def _labels(labels: Labels) -> dict[str, Any]:
    return {
        "rows": labels.rows,
        "rows_without_image": len(labels.unmatched),
        "unmatched_rows": list(labels.unmatched),
        "images_with_label": len(labels.by_image) - labels.unlabelled,
        "images_without_label": labels.unlabelled,
        "images_of_class": {
            **{name: sum(known.get(name) == 1 for known in labels.by_image) for name in CLASSES},
            "neither": sum(all(known.get(name) == 0 for name in CLASSES) for known in labels.by_image),
        },
        "images_without_row": labels.without_row,
        "rows_corrected": len(labels.corrected),
        "corrected_rows": list(labels.corrected),
        "columns": {
            **labels.columns.fields,
            **({"labels": ", ".join(labels.columns.label_columns)} if labels.columns.label_columns else {}),
        },
    }


def pixel_sizes(images: Sequence[Row]) -> dict[str, int]:
    """Pixel side, as in `0.07 mm` or `unknown` -> images, the most frequent first."""
    sizes = (image.cells()["pixel_mm"] for image in images)
    return dict(Counter(UNKNOWN if size is None else f"{size:g} mm" for size in sizes).most_common())


def are_films(images: Sequence[Row]) -> bool:
    """Whether so many images have a background that is not 0 that they must be digitised films."""
    return sum(GREY in image.findings for image in images) > _FILMS * len(images)


def judge_windows(images: Sequence[Row], windows: Mapping[str, PrepConfig]) -> list[dict[str, Any]]:
    """For each window, by name, what the images show through it; empty if the pixels were not looked at."""
    judged = []
    for name, prep in windows.items() if any(image.seen.windows for image in images) else ():
        found = [image.seen.windows.get(name) for image in images]
        below = [row for row, facts in enumerate(found, FIRST_ROW) if facts is None or not fits(facts, prep)]
        in_window, filled = (
            float(np.median([getattr(facts, share) if facts else 0.0 for facts in found]))
            for share in ("in_window", "fills_window")
        )
        film_wanted = are_films(images) and prep.background != "film"
        judged.append(
            {
                "recipes": name,
                "window": {name: list(shape) for name, shape in prep.windows.items()} or list(prep.window),
                "pixel_mm": prep.pixel_mm,
                "in_window": round(in_window, 3),
                "fills_window": round(filled, 3),
                "images_below": len(below),
                "rows_below": below,
                "fits": in_window >= prep.least_in_window and filled >= prep.least_filled and not film_wanted,
                "film_wanted": film_wanted,
            }
        )
    return judged


def window_cells(quality: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was judged of windows, as rows of a table to be read."""
    return [
        {
            "recipes": window["recipes"],
            "window": _window_cell(window["window"]),
            "breast inside (median)": f"{window['in_window']:.0%}",
            "window filled": f"{window['fills_window']:.0%}",
            "images below": str(window["images_below"]),
            "fits": "yes" if window["fits"] else "no: made for digital images" if window["film_wanted"] else "no",
        }
        for window in quality["windows"]
    ]


def _window_cell(window: list[int] | dict[str, list[int]]) -> str:
    """Rows and columns, or those of each projection."""
    if isinstance(window, dict):
        return ", ".join(f"{name} {_window_cell(shape)}" for name, shape in window.items())
    return " x ".join(map(str, window))
