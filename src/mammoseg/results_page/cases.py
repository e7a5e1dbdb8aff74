"""The images on which a model is most wrong, with their pictures: positives with the lowest and negatives with the highest scores.

They are the first to be missed and the first to be called in vain, whatever threshold is chosen.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2

from mammoseg.data.predictions import Predictions
from mammoseg.drawing.case import case_picture
from mammoseg.evaluation.results import Results
from mammoseg.evaluation.scores import FINAL, score_column
from mammoseg.report.exams import without_paths

logger = logging.getLogger(__name__)

SHOWN = 4
"""Images of each kind and class."""
_QUALITY = 80
_SIDES = {"R": "right", "L": "left"}


@dataclass(frozen=True)
class Case:
    """An image with its score."""

    image_id: str
    place: str
    """Side and view, as far as they are known."""
    score: str
    jpeg: bytes = b""
    """Its picture; empty: there is none, for this reason."""
    reason: str = ""
    has_lesion: bool = False
    """Whether the true lesion is in the picture."""


@dataclass(frozen=True)
class Cases:
    """The worst of one kind and class."""

    title: str
    label: str
    found: tuple[Case, ...]


def worst_cases(results: Results, predictions: Sequence[Predictions]) -> list[Cases]:
    """Those of every class, positives first. Those that are in none of `predictions` have no pictures.

    An image that cannot be read has the reason in the place of its picture.
    """
    groups: list[tuple[str, str, list[int]]] = []
    for label in results.classes:
        truth, score = results.values(label), results.values(score_column(FINAL, label))
        for wrong, title in (
            (1, "Positive images with the lowest scores"),
            (0, "Negative images with the highest scores"),
        ):
            known = score[(truth == wrong) & score.notna()]
            worst = known.sort_values(ascending=wrong == 1, kind="stable").index[:SHOWN]
            groups.append((title, label, [int(place) for place in worst]))
    labels_of: dict[int, list[str]] = {}
    for _, label, places in groups:
        for place in places:
            labels_of.setdefault(place, []).append(label)
    cases = {place: _cases(results, place, labels, predictions) for place, labels in labels_of.items()}
    return [
        Cases(title, label, tuple(cases[place][label] for place in places)) for title, label, places in groups if places
    ]


def _cases(results: Results, place: int, labels: Sequence[str], parts: Sequence[Predictions]) -> dict[str, Case]:
    """Class -> an image that is among its worst; it is read once for all of them."""
    row = results.images.iloc[place]
    image_id, side = str(row.get("image_id", "")), str(row.get("laterality", ""))
    where = f"{_SIDES.get(side, side)} {row.get('view', '')}".strip()
    bare = {
        label: Case(image_id, where, f"{float(results.values(score_column(FINAL, label))[place]):.3f}")
        for label in labels
    }
    predictions = next((part for part in parts if image_id in part.image_ids), None)
    if predictions is None:
        return bare
    try:
        pictures = _pictures(predictions, image_id, labels, results.classes)
    except (ValueError, OSError) as error:
        reason = without_paths(str(error), predictions, image_id)
        logger.warning("results page: image %s has no picture: %s", image_id, reason)
        return {label: replace(case, reason=reason) for label, case in bare.items()}
    return {label: replace(case, **pictures[label]) for label, case in bare.items()}


def _pictures(
    predictions: Predictions, image_id: str, labels: Sequence[str], classes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    image = predictions.open(image_id)
    pixels, masks = image.image().pixels, image.truth().masks
    found = {}
    for label in labels:
        mask = masks.get(label)
        drawn = case_picture(pixels, image.prediction, label, mask, image.prep, classes)
        content = cv2.imencode(".jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        found[label] = {"jpeg": content.tobytes(), "has_lesion": mask is not None and bool(mask.any())}
    return found
