"""The pages that the server sends. That of an exam is made when it is asked for, by the code of `mammoseg report`, and kept.

    KEY.html         an exam with all that the model says
    KEY.blind.html   the same images, and nothing else; made at the same time, of the same pixels

A page is sent again as long as it is of the same records, truth and code (report/stamp.py). One that lacks an image is tried again
after a while, not with every request.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic

from mammoseg.data.exam_names import exam_key
from mammoseg.data.predictions import Predictions
from mammoseg.io.atomic import write_text
from mammoseg.io.runs import is_safe_id
from mammoseg.report.exam_page import content_of, page_values
from mammoseg.report.exams import exams_of
from mammoseg.report.pages import EXAM_SCRIPT, EXAM_STYLE, Kind, Pages
from mammoseg.report.priors import prior_of
from mammoseg.report.stamp import model_of, stamp_of, stamped
from mammoseg.reviewer.blind import blind_content, blind_exam
from mammoseg.reviewer.index import ListedExam

_EXAM = Kind((*EXAM_SCRIPT, "asking.js", "review.js"), (*EXAM_STYLE, "review.css"))
REVIEW = Pages(
    ("mammoseg.reviewer", "mammoseg.report"),
    {
        "review.html": _EXAM,
        "blind.html": _EXAM,
        "list.html": Kind(("asking.js", "list.js"), ("base.css", "list.css")),
        "login.html": Kind(("asking.js", "login.js"), ("base.css", "list.css")),
    },
    connects=True,
)
"""The pages of `mammoseg serve`."""
_AT_ONCE = 2  # exams whose images are in memory
_LOCKS = 64
_AGAIN = 60.0  # seconds until a page that lacks an image is made again


class ExamPages:
    """The pages of the exams of a folder. May be used by several threads at once."""

    def __init__(self, predictions: Predictions, out: Path, blinded: bool) -> None:
        """They are kept in the folder `out`. `blinded`: each also without what the model says."""
        self._predictions, self._out, self._blinded = predictions, out, blinded
        self._locks = [Lock() for _ in range(_LOCKS)]
        self._making = BoundedSemaphore(_AT_ONCE)
        self._lacking: dict[str, tuple[str, float]] = {}
        self._of_patient: dict[str, set[str]] = {}
        for row in predictions.rows.values():
            self._of_patient.setdefault(row.patient_id, set()).add(row.image_id)

    def page(self, listed: ListedExam, blind: bool) -> Path | None:
        """The file of a page. None: the exam is no longer there. Raises RunFileError if the run is not."""
        path, blind_path = self._paths(listed.exam_key)
        with self._locks[int(listed.exam_key, 16) % _LOCKS]:
            image_ids = {i for i in {*listed.sides, *self._of_patient.get(listed.patient_id, ())} if is_safe_id(i)}
            predictions = self._predictions.only(image_ids)
            exams, _ = exams_of(predictions, image_ids)
            exam = next((e for e in exams if exam_key(e.patient_id, e.exam_id) == listed.exam_key), None)
            if exam is None:
                return None
            prior = prior_of(exam, exams, predictions.rows)
            model = model_of(predictions.folder)
            stamp = stamp_of(exam, predictions, model, REVIEW.code_hash, prior)
            if not self._is_current(listed.exam_key, stamp):
                with self._making:
                    content = content_of(exam, predictions, prior)
                values = page_values(exam, content, predictions.manifest is not None, model, stamp, prior)
                self._write(path, "review.html", listed.exam_key, values)
                if self._blinded:
                    values = page_values(blind_exam(exam), blind_content(content), False, model, stamp, prior)
                    self._write(blind_path, "blind.html", listed.exam_key, values)
                if not content.whole:
                    self._lacking[listed.exam_key] = stamp, monotonic()
                predictions.finish()
        return blind_path if blind else path

    def forget(self, keys: set[str]) -> None:
        """Delete the pages of exams that are gone."""
        for key in keys:
            for path in self._paths(key):
                path.unlink(missing_ok=True)

    def _paths(self, key: str) -> tuple[Path, Path]:
        return self._out / f"{key}.html", self._out / f"{key}.blind.html"

    def _is_current(self, key: str, stamp: str) -> bool:
        paths = self._paths(key)[: 1 + self._blinded]
        stamps = {there[0] if (there := stamped(path)) else None for path in paths}
        tried, when = self._lacking.get(key, ("", 0.0))
        return stamps == {stamp} or (stamps == {""} and tried == stamp and monotonic() < when + _AGAIN)

    def _write(self, path: Path, template: str, key: str, values: Mapping[str, object]) -> None:
        write_text(path, REVIEW.render(template, {**values, "key": key}))
