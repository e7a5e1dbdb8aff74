"""Predictions folder -> a page for each exam and one for all of them.

    index.html           the table of all exams
    exams/<exam>.html    an exam; its second line has a hash of what it was made of, and its thumbnail
    errors.csv           images that failed (io/failures.py)

A page whose hash is still right is kept. The hash is of the records, which name the content of images and maps, of the truth, and
of the code of the page. A page in which an image has failed has none, so that it is made again.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from mammoseg import __version__
from mammoseg.bounded import open_regular, sha256_of
from mammoseg.data.predictions import Predictions
from mammoseg.io.atomic import remove_leftovers, write_text
from mammoseg.io.failures import Failures
from mammoseg.io.runs import read_run, record_path
from mammoseg.progress import Bar
from mammoseg.records.colours import looks
from mammoseg.report.cohort import cohort_values
from mammoseg.report.exam_page import content_of
from mammoseg.report.exams import Exam, exams_of
from mammoseg.report.keys import KEYS
from mammoseg.report.pages import code_hash, render

_FORMAT = 1
"""Raised when something else is put into a page."""
_STAMP = re.compile(rb'<meta name="mammoseg-page" content="([0-9a-f]*)" data-thumbnail="([A-Za-z0-9+/=]*)">')
_HEAD = 2**18  # bytes in which the stamp of a page stands
_THREADS = 4  # more images at once would only take memory


class Written(NamedTuple):
    """What a report holds."""

    exams: int
    kept: int
    """Pages that were up to date."""


def write_report(predictions: Predictions, out: Path) -> Written:
    """Write the pages of all exams into the folder `out`, and index.html.

    Pages there of exams that are not among the predictions are deleted. Failures are those of `predictions`.
    """
    pages = out / "exams"
    pages.mkdir(parents=True, exist_ok=True)
    remove_leftovers(pages)
    failures = Failures(out)
    for image_id in set(failures.image_ids()) - set(predictions.image_ids):
        failures.remove(image_id)
    exams, lost = exams_of(predictions)
    _forget_others(pages, {f"{exam.page}.html" for exam in exams})
    run = read_run(predictions.folder)
    model = {name: str(run.get(name, "unknown")) for name in ("model", "checkpoint_sha256", "mammoseg")}
    thumbnails: list[str] = []
    kept = 0
    with Bar("report", len(exams)) as bar:

        def write(exam: Exam) -> tuple[str, bool]:
            made = _write_exam(exam, predictions, pages / f"{exam.page}.html", model)
            bar.advance()
            return made

        for picture, was_kept in _in_threads(write, exams):
            thumbnails.append(picture)
            kept += was_kept
    predictions.finish()
    values = cohort_values(exams, thumbnails, lost, predictions, model)
    write_text(out / "index.html", render("cohort.html", values))
    return Written(len(exams), kept)


def _write_exam(exam: Exam, predictions: Predictions, path: Path, model: Mapping[str, str]) -> tuple[str, bool]:
    """The thumbnail of an exam as base64, and whether its page was kept."""
    stamp = _stamp(exam, predictions, model)
    if (there := _stamped(path)) and there[0] == stamp:
        return there[1], True
    content = content_of(exam, predictions)
    picture = base64.b64encode(content.thumbnail).decode()
    classes = looks(exam.classes)
    values = {
        "exam": exam,
        "views": content.views,
        "findings": content.findings,
        "help": KEYS,
        "classes": classes,
        "has_truth": predictions.manifest is not None,
        "model": model,
        "stamp": stamp if content.whole else "",
        "thumbnail": picture,
        "data": {
            "exam_id": exam.exam_id,
            "version": __version__,
            "classes": [{"name": n, "colour": look.on_dark, "line": look.line} for n, look in classes.items()],
            "breasts": [breast.laterality for breast in exam.breasts],
            "checkpoint_sha256": model["checkpoint_sha256"],
            "images": [view.about for view in content.views if view.pixels],
        },
    }
    write_text(path, render("exam.html", values))
    return picture, False


def _stamp(exam: Exam, predictions: Predictions, model: Mapping[str, str]) -> str:
    """Hash of what a page is made of."""
    parts: list[Any] = [
        _FORMAT,
        code_hash(),
        exam.patient_id,
        exam.exam_id,
        dict(model),
        predictions.manifest is not None,
    ]
    for member in exam.members:
        row = predictions.rows.get(member.image_id)
        record = record_path(predictions.folder, member.image_id) if member.about else None
        masks = {name: _hash_or_none(path) for name, path in row.masks.items()} if row else {}
        truth = [dict(row.labels), masks, row.mask_frame] if row else []
        parts.append([member.image_id, member.reason, record and _hash_or_none(record), truth])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _hash_or_none(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None


def _stamped(path: Path) -> tuple[str, str] | None:
    """Stamp and thumbnail of a page; None: there is none, or it is not ours."""
    try:
        with open_regular(path) as file:
            found = _STAMP.search(file.read(_HEAD))
    except OSError:
        return None
    return (found[1].decode(), found[2].decode()) if found else None


def _forget_others(pages: Path, names: set[str]) -> None:
    """Delete pages of ours that are of none of these exams: they would show ids and scores that are no longer in the folder."""
    for path in pages.glob("*.html"):
        if path.name not in names and _stamped(path):
            path.unlink()


def _in_threads(work: Callable[[Exam], tuple[str, bool]], exams: list[Exam]) -> list[tuple[str, bool]]:
    """In the order of the exams. What takes time, files, compression and scaling, runs beside other threads."""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        try:
            return list(pool.map(work, exams))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
