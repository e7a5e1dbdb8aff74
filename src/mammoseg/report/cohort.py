"""What the page of all exams holds, as plain values for its template."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mammoseg.data.predictions import Predictions
from mammoseg.records.colours import looks
from mammoseg.report.exams import Exam, Lost, told
from mammoseg.wording import counted


def cohort_values(
    exams: Sequence[Exam],
    thumbnails: Sequence[str],
    lost: Sequence[Lost],
    predictions: Predictions,
    model: Mapping[str, str],
) -> dict[str, Any]:
    """Values of templates/cohort.html: a row for each exam with its thumbnail (a JPEG as base64), classes, failures."""
    classes = looks(dict.fromkeys(name for exam in exams for name in exam.scores))
    return {
        "rows": [_row(exam, picture, predictions) for exam, picture in zip(exams, thumbnails, strict=True)],
        "classes": classes,
        "has_labels": any(exam.labels for exam in exams),
        "lost": lost,
        "counts": f"{counted(len(exams), 'exam')}, {counted(len(predictions.image_ids), 'image')}",
        "model": model,
    }


def _row(exam: Exam, picture: str, predictions: Predictions) -> dict[str, Any]:
    failed = [
        (member.image_id, member.reason or told(predictions, member.image_id))
        for member in exam.members
        if member.reason or member.image_id in predictions.failed
    ]
    return {
        "exam": exam,
        "href": f"exams/{quote(exam.page)}.html",
        "thumbnail": picture,
        "failed": failed,
        "n_images": len(exam.members),
    }
