"""The exams of a predictions folder: which images each has, what is wrong with them, and the scores and labels of its breasts."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mammoseg.calibration.stored import Calibration
from mammoseg.data.breasts import breast_labels
from mammoseg.data.exam_names import exam_names
from mammoseg.data.manifest import ImageRow
from mammoseg.data.predictions import Predictions
from mammoseg.io.failures import Failures
from mammoseg.io.repeats import renamed
from mammoseg.io.runs import is_safe_id, maps_path, read_record, record_path
from mammoseg.io.scores_table import calibration_of
from mammoseg.records.prediction import Prediction
from mammoseg.report.hanging import SIDES

_PLACE = re.compile(r"\S*[/\\]\S*")


@dataclass(frozen=True)
class Member:
    """An image of an exam, as far as it is known without its pixels."""

    image_id: str
    laterality: str
    view: str
    about: Prediction | None
    """Without its maps. None: there is no prediction that can be read."""
    reason: str = ""
    """Why it cannot be shown, without any path; empty: nothing is known against it."""


@dataclass(frozen=True)
class Breast:
    """What is said of a breast."""

    laterality: str
    scores: Mapping[str, float]
    """Class -> mean of the scores of its images."""
    labels: Mapping[str, int]
    """Class -> 0 or 1 (data/breasts.py); not there: unknown."""
    calibrated: Mapping[str, float] = field(default_factory=dict)
    """Class -> probability, where a calibration was applied to the predictions."""
    recalled: Mapping[str, bool] = field(default_factory=dict)
    """Class -> whether its operating point recalls it."""

    @property
    def disagreement(self) -> float | None:
        """Largest distance of a score from its label; None: no label is known."""
        known = [abs(self.scores[name] - label) for name, label in self.labels.items() if name in self.scores]
        return max(known, default=None)


@dataclass(frozen=True)
class Exam:
    """All images of one exam."""

    patient_id: str
    exam_id: str
    members: tuple[Member, ...]
    breasts: tuple[Breast, ...]
    """Right, then left; of those with a prediction."""
    page: str
    """Name of its file, without suffix."""

    @property
    def scores(self) -> dict[str, float]:
        """Class -> the highest of its breasts."""
        return highest_scores([breast.scores for breast in self.breasts])

    @property
    def classes(self) -> tuple[str, ...]:
        """Those of its scores."""
        return tuple(self.scores)

    @property
    def labels(self) -> dict[str, int]:
        """Class -> 1 where a breast is positive, 0 where all are negative; not there: unknown."""
        names = dict.fromkeys(name for breast in self.breasts for name in breast.labels)
        of = {name: [breast.labels.get(name) for breast in self.breasts] for name in names}
        return {name: int(1 in known) for name, known in of.items() if 1 in known or None not in known}

    @property
    def disagreement(self) -> float | None:
        """The largest of its breasts; None: no label is known."""
        return max((b.disagreement for b in self.breasts if b.disagreement is not None), default=None)


@dataclass(frozen=True)
class Lost:
    """An image that belongs to no exam, since nothing tells to which."""

    image_id: str
    reason: str


def exams_of(predictions: Predictions, only: Collection[str] | None = None) -> tuple[list[Exam], list[Lost]]:
    """All exams, by patient and exam, with the images that failed in `predict` where a manifest tells their exam.

    `only`: of images with these ids, whatever else has failed. Damaged records are noted as failures of `predictions`.
    """
    calibration = calibration_of(predictions.folder)
    groups: dict[tuple[str, str], list[Member]] = {}
    lost = []
    before = _failed_before(predictions, only)
    for image_id in sorted({*predictions.image_ids, *before}):
        about, reason = None, before.get(image_id, "")
        if image_id in predictions.image_ids:
            with predictions.noting(image_id):
                about, reason = read_record(predictions.folder, image_id).about, ""
            reason = told(predictions, image_id) if about is None else reason
        known = about or predictions.rows.get(image_id)
        if known is None or known.laterality not in SIDES:
            lost.append(Lost(image_id, reason or "its side is neither L nor R"))
            continue
        member = Member(image_id, known.laterality, known.view, about, reason)
        groups.setdefault((known.patient_id, known.exam_id), []).append(member)
    pages = exam_names(list(groups))
    return [
        Exam(*key, tuple(members), _breasts(members, predictions.rows, calibration), pages[key])
        for key, members in sorted(groups.items())
    ], lost


def mean_scores(of_images: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Class -> the mean of those images that have it: the scores of a breast."""
    names = dict.fromkeys(name for scores in of_images for name in scores)
    return {n: float(np.mean([scores[n] for scores in of_images if n in scores])) for n in names}


def highest_scores(of_breasts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Class -> the highest: the scores of an exam."""
    names = dict.fromkeys(name for scores in of_breasts for name in scores)
    return {name: max(scores[name] for scores in of_breasts if name in scores) for name in names}


def told(predictions: Predictions, image_id: str) -> str:
    """Why an image failed, as it may stand in a page: without any path."""
    return without_paths(predictions.failed.get(image_id, ""), predictions, image_id)


def without_paths(text: str, predictions: Predictions, image_id: str) -> str:
    """A message in which the files of an image are called by its id, and whatever else looks like a path is left out."""
    row, folder = predictions.rows.get(image_id), predictions.folder
    files: list[Path] = [row.path, *row.masks.values()] if row else []
    if is_safe_id(image_id):
        files += [record_path(folder, image_id), maps_path(folder, image_id)]
    text = renamed(text, [*files, folder], image_id)
    text = _PLACE.sub("...", text.removeprefix(f"{image_id}: "))
    return text.encode("utf-8", "backslashreplace").decode()


def _failed_before(predictions: Predictions, only: Collection[str] | None) -> dict[str, str]:
    """Images without a prediction -> why, as `predict` noted it."""
    failures = Failures(predictions.folder)
    done = set(predictions.image_ids)
    table = failures.read(only)
    rows = zip(table["image_id"], table["step"], table["message"], strict=True)
    return {
        image_id: f"failed in predict ({step}): {without_paths(message, predictions, image_id)}"
        for image_id, step, message in rows
        if image_id not in done
    }


def _breasts(
    members: Iterable[Member], rows: Mapping[str, ImageRow], calibration: Calibration | None
) -> tuple[Breast, ...]:
    breasts = []
    for side in SIDES:
        of_side = [member for member in members if member.laterality == side]
        about = [member.about for member in of_side if member.about]
        if not about:
            continue
        scores = mean_scores([each.scores for each in about])
        classes = list(scores)
        known = [rows[m.image_id].label_K(classes) for m in of_side if m.image_id in rows]
        label_NK = np.array(known, dtype=np.float64).reshape(len(known), len(classes))
        labels = (
            breast_labels(label_NK, np.zeros(len(known), np.int64)) if known else np.full((1, len(classes)), np.nan)
        )
        of_class = zip(classes, labels[0].tolist(), strict=True)
        known_labels = {name: int(value) for name, value in of_class if value == value}
        breasts.append(Breast(side, scores, known_labels, *_applied(calibration, scores)))
    return tuple(breasts)


def _applied(calibration: Calibration | None, scores: Mapping[str, float]) -> tuple[dict[str, float], dict[str, bool]]:
    """Probabilities, and decisions where there is an operating point."""
    if calibration is None:
        return {}, {}
    given = {name: np.array(score) for name, score in scores.items() if name in calibration.classes}
    decided = {name: calibration.recalled(name, score) for name, score in given.items()}
    return (
        {name: float(calibration.probabilities(name, score)) for name, score in given.items()},
        {name: bool(recalled) for name, recalled in decided.items() if recalled is not None},
    )
