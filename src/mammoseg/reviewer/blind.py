"""An exam without anything that the model says of it or the manifest knows: what a reader sees before a verdict.

What stays is listed; all else is left out, so that a new value of a page is not shown by mistake.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mammoseg.report.exam_page import ExamContent, View
from mammoseg.report.exams import Breast, Exam

_KEPT = (
    "id",
    "side",
    "view",
    "name",
    "prior",
    "row",
    "column",
    "shape",
    "pixel_mm",
    "points_right",
    "mirrored",
    "shown",
    "packed",
)
_NO_MAPS = {
    "shape": [0, 1, 1],
    "scale": [],
    "to_cell": [1, 0, 1, 0],
    "data": base64.b64encode(zlib.compress(b"")).decode(),
}
_NOTHING: Mapping[str, Any] = {
    "maps": _NO_MAPS,
    "findings": [],
    "patches": [],
    "patches_of": "",
    "window": [0, 0, 0, 0],
    "scores": {},
    "parts": {},
    "labels": {},
    "outlines": {},
    "notes": [],
}


def blind_exam(exam: Exam) -> Exam:
    """Its breasts, without scores and labels."""
    return replace(exam, members=(), breasts=tuple(Breast(breast.laterality, {}, {}) for breast in exam.breasts))


def blind_content(content: ExamContent) -> ExamContent:
    """Its images. Why one cannot be shown is not told: `predict` may have quoted what it found."""
    views, priors = ([_blind(view) for view in views] for views in (content.views, content.priors))
    return replace(content, views=views, priors=priors, findings=[])


def _blind(view: View) -> View:
    if view.pixels:
        return replace(view, about={name: view.about[name] for name in _KEPT} | dict(_NOTHING))
    about = {name: view.about[name] for name in ("name", "side", "prior")}
    return replace(view, about=about | {"reason": "cannot be shown" if "id" in view.about else "no image"})
