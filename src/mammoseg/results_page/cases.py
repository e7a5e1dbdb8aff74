"""The images on which a model is most wrong, with their pictures: positives with the lowest and negatives with the highest scores.

They are the first to be missed and the first to be called in vain, whatever threshold is chosen.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
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
    groups = []
    for label in results.classes:
        truth, score = results.values(label), results.values(score_column(FINAL, label))
        for wrong, title in (
            (1, "Positive images with the lowest scores"),
            (0, "Negative images with the highest scores"),
        ):
            chosen = (
                score[(truth == wrong) & score.notna()].sort_values(ascending=wrong == 1, kind="stable").index[:SHOWN]
            )
            found = [_case(results, int(place), label, float(score[place]), predictions) for place in chosen]
            if found:
                groups.append(Cases(title, label, tuple(found)))
    return groups


def _case(results: Results, place: int, label: str, score: float, parts: Sequence[Predictions]) -> Case:
    row = results.images.iloc[place]
    image_id, side = str(row.get("image_id", "")), str(row.get("laterality", ""))
    where = f"{_SIDES.get(side, side)} {row.get('view', '')}".strip()
    about: dict[str, Any] = {"image_id": image_id, "place": where, "score": f"{score:.3f}"}
    predictions = next((part for part in parts if image_id in part.image_ids), None)
    if predictions is None:
        return Case(**about)
    try:
        return Case(**about, **_picture(predictions, image_id, label, results.classes))
    except (ValueError, OSError) as error:
        reason = without_paths(str(error), predictions, image_id)
        logger.warning("results page: image %s has no picture: %s", image_id, reason)
        return Case(**about, reason=reason)


def _picture(predictions: Predictions, image_id: str, label: str, classes: Sequence[str]) -> dict[str, Any]:
    image = predictions.open(image_id)
    mask = image.truth().masks.get(label)
    drawn = case_picture(image.image().pixels, image.prediction, label, mask, image.prep, classes)
    content = cv2.imencode(".jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return {"jpeg": content.tobytes(), "has_lesion": mask is not None and bool(mask.any())}
