"""Predictions folder -> a page for each exam and one for all of them.

    index.html           the table of all exams
    exams/<exam>.html    an exam; its second line has a hash of what it was made of, and its thumbnail
    errors.csv           images that failed (io/failures.py)

A page whose hash is still right is kept (stamp.py).
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from mammoseg.data.predictions import Predictions
from mammoseg.io.atomic import remove_leftovers, write_text
from mammoseg.io.failures import Failures
from mammoseg.progress import Bar
from mammoseg.report.cohort import cohort_values
from mammoseg.report.exam_page import content_of, page_values
from mammoseg.report.exams import Exam, exams_of
from mammoseg.report.pages import REPORT
from mammoseg.report.priors import Prior, prior_of
from mammoseg.report.stamp import model_of, stamp_of, stamped

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
    model = model_of(predictions.folder)
    of_patient: dict[str, list[Exam]] = {}
    for exam in exams:
        of_patient.setdefault(exam.patient_id, []).append(exam)
    thumbnails: list[str] = []
    kept = 0
    with Bar("report", len(exams)) as bar:

        def write(exam: Exam) -> tuple[str, bool]:
            prior = prior_of(exam, of_patient[exam.patient_id], predictions.rows)
            made = _write_exam(exam, prior, predictions, pages / f"{exam.page}.html", model)
            bar.advance()
            return made

        for picture, was_kept in _in_threads(write, exams):
            thumbnails.append(picture)
            kept += was_kept
    predictions.finish()
    values = cohort_values(exams, thumbnails, lost, predictions, model)
    write_text(out / "index.html", REPORT.render("cohort.html", values))
    return Written(len(exams), kept)


def _write_exam(
    exam: Exam, prior: Prior | None, predictions: Predictions, path: Path, model: Mapping[str, str]
) -> tuple[str, bool]:
    """The thumbnail of an exam as base64, and whether its page was kept."""
    stamp = stamp_of(exam, predictions, model, REPORT.code_hash, prior)
    if (there := stamped(path)) and there[0] == stamp:
        return there[1], True
    content = content_of(exam, predictions, prior)
    values = page_values(exam, content, predictions.manifest is not None, model, stamp, prior)
    write_text(path, REPORT.render("exam.html", values))
    return str(values["thumbnail"]), False


def _forget_others(pages: Path, names: set[str]) -> None:
    """Delete pages of ours that are of none of these exams: they would show ids and scores that are no longer in the folder."""
    for path in pages.glob("*.html"):
        if path.name not in names and stamped(path):
            path.unlink()


def _in_threads(work: Callable[[Exam], tuple[str, bool]], exams: list[Exam]) -> list[tuple[str, bool]]:
    """In the order of the exams. What takes time, files, compression and scaling, runs beside other threads."""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        try:
            return list(pool.map(work, exams))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
