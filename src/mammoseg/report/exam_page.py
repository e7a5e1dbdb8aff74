"""What the page of an exam holds, as plain values for its template and its viewer.

Values of an image, in `images`, all places in (row, column) on the pixels of its file:

    id, side, view, name        its ids and how it is called
    prior                       how long before; empty: it is of the exam itself
    row, column                 where it hangs; column 0 is the right breast's
    shape, pixel_mm             (H, W) of the file; [of rows, of columns] or null
    points_right, mirrored      which way the breast points in the file, and whether it is shown mirrored
    shown                       stored values of black and white at first
    packed                      of its pixels: `shape`, `factor` (report/picture.py)
    maps, findings, patches, window     report/marks.py
    scores, parts, labels, outlines     of the model and, of the truth, what is known
    notes                       what is to be told about it

Those of a prior exam, in `priors`, have pixels, scores and maps only: what is found and what readers say is about the exam itself.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammoseg import __version__
from mammoseg.data.exam_names import exam_key
from mammoseg.data.predictions import Predictions
from mammoseg.records.colours import looks
from mammoseg.records.prediction import Prediction
from mammoseg.report import marks
from mammoseg.report.exams import Exam, Member, told, without_paths
from mammoseg.report.hanging import VIEWS, Gap, Place, hang, is_mirrored
from mammoseg.report.keys import KEYS
from mammoseg.report.picture import BUDGET, pack, plain_pictures, thumbnail
from mammoseg.report.priors import Prior

SIDE_NAMES = {"R": "Right", "L": "Left"}


@dataclass(frozen=True)
class View:
    """What hangs in one place."""

    place: Place
    about: Mapping[str, Any]
    """Values of an image as the module text lists them; of a gap `name` and `reason`."""
    pixels: str = ""
    """Base64; empty: a gap."""
    jpeg: bytes = b""
    small: NDArray[np.uint8] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ExamContent:
    """All of a page."""

    views: list[View]
    thumbnail: bytes
    """A JPEG of the four views."""
    findings: list[dict[str, Any]]
    """Of all views, the highest scores first; `rank` counts them from 1, `where` names the view of `image_id`."""
    priors: list[View]
    """What hangs beside the four views: those of the prior exam. Empty: there is none."""
    whole: bool
    """Whether no image has failed only now, so that the page need not be made again."""


def content_of(exam: Exam, predictions: Predictions, prior: Prior | None = None) -> ExamContent:
    """Read the images of an exam and of its prior. One that cannot be read is noted as a failure, and is a gap with the reason.

    The images of the exam come first: the prior gets what they leave, and one seventh for certain.
    """
    views, used, whole = _views(exam.members, exam.classes, predictions, BUDGET - (BUDGET // 7 if prior else 0))
    priors: list[View] = []
    if prior:
        of_four = [member for place, member in hang(prior.exam.members)[0] if place.row < len(VIEWS)]
        read, _, whole_too = _views(of_four, exam.classes, predictions, BUDGET - used)
        priors, whole = [_as_prior(view, prior) for view in read], whole and whole_too
    four = [
        [next((v.small for v in views if v.place == (row, side)), None) for side in (0, 1)] for row in range(len(VIEWS))
    ]
    return ExamContent(views, thumbnail(four), _ranked(views), priors, whole)


def _views(
    members: Sequence[Member], classes: Sequence[str], predictions: Predictions, budget: int
) -> tuple[list[View], int, bool]:
    """What hangs, in reading order; how many bytes of the budget it takes; whether no image has failed only now."""
    hung, gaps = hang(members)
    views = [View(place, _gap(gap)) for place, gap in gaps]
    left, waiting, whole = budget, len(hung), True
    named: Counter[str] = Counter()
    for place, member in hung:
        plain = _name(member.laterality, member.view)
        named[plain] += 1
        name = plain if named[plain] == 1 else f"{plain} {named[plain]}"
        view = None
        if member.about and not member.reason:
            with predictions.noting(member.image_id):
                view, used = _view(place, name, classes, predictions, member.image_id, left // waiting)
                left -= used
            whole = whole and view is not None
        views.append(view or View(place, _lost(member, name, predictions)))
        waiting -= 1
    return sorted(views, key=lambda view: view.place), budget - left, whole


def page_values(
    exam: Exam,
    content: ExamContent,
    has_truth: bool,
    model: Mapping[str, str],
    stamp: str,
    prior: Prior | None = None,
) -> dict[str, Any]:
    """Values of templates/exam.html. `stamp` is that of the page (stamp.py), which it has only where all images are in it."""
    classes = looks(exam.classes)
    return {
        "exam": exam,
        "views": content.views,
        "prior": {"exam_id": prior.exam.exam_id, "words": prior.words} if prior else None,
        "priors": content.priors,
        "findings": content.findings,
        "help": KEYS,
        "classes": classes,
        "has_truth": has_truth,
        "model": model,
        "stamp": stamp if content.whole else "",
        "thumbnail": base64.b64encode(content.thumbnail).decode(),
        "data": {
            "exam_id": exam.exam_id,
            "exam_key": exam_key(exam.patient_id, exam.exam_id),
            "version": __version__,
            "classes": [{"name": n, "colour": look.on_dark, "line": look.line} for n, look in classes.items()],
            "breasts": [breast.laterality for breast in exam.breasts],
            "checkpoint_sha256": model["checkpoint_sha256"],
            "images": [view.about for view in content.views if view.pixels],
            "priors": [view.about for view in content.priors if view.pixels],
        },
    }


def _ranked(views: list[View]) -> list[dict[str, Any]]:
    """The findings of the views themselves, which get their rank."""
    found = [(view.about, finding) for view in views if view.pixels for finding in view.about["findings"]]
    found.sort(key=lambda pair: -pair[1]["score"])
    for rank, (about, finding) in enumerate(found, start=1):
        finding.update(rank=rank, where=about["name"], image_id=about["id"])
    return [finding for _, finding in found]


def _as_prior(view: View, prior: Prior) -> View:
    of_exam: dict[str, Any] = {"findings": [], "patches": [], "labels": {}, "outlines": {}, "notes": [], "parts": {}}
    return replace(view, about={**view.about, **of_exam, "prior": prior.words})


def _gap(gap: Gap) -> dict[str, Any]:
    return {"name": _name(gap.laterality, gap.view), "reason": "no image", "side": gap.laterality, "prior": ""}


def _lost(member: Member, name: str, predictions: Predictions) -> dict[str, Any]:
    about = {"id": member.image_id, "name": name, "side": member.laterality, "prior": ""}
    scores = dict(member.about.scores) if member.about else {}
    return about | {"reason": member.reason or told(predictions, member.image_id), "scores": scores}


def _view(
    place: Place, name: str, classes: Sequence[str], predictions: Predictions, image_id: str, most_bytes: int
) -> tuple[View, int]:
    image = predictions.open(image_id)
    prediction, row = image.prediction, image.row
    pixels, truth = image.image().pixels, image.truth()
    shown, jpeg, small = plain_pictures(pixels)
    maps = marks.maps_of(prediction, classes)
    others = len(jpeg) + len(maps["data"]) * 3 // 4
    packed = pack(pixels, max(most_bytes - others, most_bytes // 2))  # large maps leave no image otherwise
    points_right = not prediction.grid.flipped
    mirrored = is_mirrored(prediction.laterality, points_right)
    unread = [f"{name}: {without_paths(why, predictions, row.image_id)}" for name, why in truth.unread.items()]
    about = {
        "id": prediction.image_id,
        "side": prediction.laterality,
        "view": prediction.view,
        "name": name,
        "prior": "",
        "row": place.row,
        "column": place.column,
        "shape": list(prediction.grid.original_shape),
        "pixel_mm": _pixel_mm(prediction),
        "points_right": points_right,
        "mirrored": mirrored,
        "shown": list(shown),
        "packed": {"shape": list(packed.shape), "factor": packed.factor},
        "maps": maps,
        "findings": marks.findings_of(prediction),
        "patches": marks.patches_of(prediction),
        "patches_of": prediction.patches_of,
        "window": marks.window_of(prediction.grid),
        "scores": dict(prediction.scores),
        "parts": {name: dict(scores) for name, scores in prediction.parts.items()},
        "labels": dict(row.labels),
        "outlines": marks.outlines_of(truth.masks),
        "notes": [*prediction.notes, *prediction.reading, *_of_training(prediction), *_without(unread)],
    }
    return View(place, about, packed.text, jpeg, small[:, ::-1] if mirrored else small), packed.bytes + others


def _pixel_mm(prediction: Prediction) -> list[float] | None:
    if prediction.source and prediction.source.pixel_mm:
        return list(prediction.source.pixel_mm)
    side = prediction.facts.pixel_mm if prediction.facts else None
    return [side, side] if side else None


def _of_training(prediction: Prediction) -> list[str]:
    return ["the model has learned from this patient"] if prediction.of_training else []


def _without(unread: list[str]) -> list[str]:
    return [f"true lesion not shown: {why}" for why in unread]


def _name(side: str, view: str) -> str:
    return f"{SIDE_NAMES.get(side, side)} {view}"
