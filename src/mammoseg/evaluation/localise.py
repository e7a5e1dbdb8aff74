"""One pass over predictions and truth: what maps, marks and patches say of every lesion, image by image.

Every file is read once. What is kept are rows of numbers, and of each map on its mask the counts of its levels.

A class of an image is, by its label in the manifest and what was drawn (a mask, else boxes),

    lesions         positive, with at least one lesion drawn
    normal          negative, and nothing drawn
    unknown         without a label
    undrawn         positive, and nothing was drawn: where its lesions are is not known
    empty           positive, with an empty mask
    contradictory   negative, with a lesion drawn

Metrics of marks are about the first two; the others are left out and counted.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.columns import BOXES, MASK, read_boxes
from mammoseg.data.masks import image_masks
from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.lesions import Lesion, lesions_of_boxes, lesions_of_mask
from mammoseg.evaluation.maps import RANDOM, ROW_KEYS, maps_on_mask
from mammoseg.evaluation.marks import Mark, hits_of, marks_of_findings, marks_of_map
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.pooled import PixelCounts
from mammoseg.io.runs import load_prediction
from mammoseg.progress import Bar
from mammoseg.records.finding import Box
from mammoseg.records.prediction import Prediction

FINDINGS = "findings"
"""Name of the record's own marks among those of its maps."""
LESIONS, NORMAL, UNKNOWN, UNDRAWN, EMPTY, CONTRADICTORY = (
    "lesions", "normal", "unknown", "undrawn", "empty", "contradictory",
)  # fmt: skip
IMAGE_COLUMNS = ["image_id", "patient_id", "class", "is", "sources", "patches"]
LESION_COLUMNS = [
    "image_id", "patient_id", "class", "lesion", "top", "left", "bottom", "right", "area_px", "diameter_px", "diameter_mm",
    "in_patches",
]  # fmt: skip
MARK_COLUMNS = ["image_id", "patient_id", "class", "of", "rating", "row", "column", "lesion", "counts_as"]
RATING = "rating_{}"
"""Column of the lesions: the rating of the highest mark of a source, -inf where none hits."""


@dataclass(frozen=True, eq=False)
class Localised:
    """What was found."""

    pixel_rows: pd.DataFrame
    """A row for each image with a mask, class and map: ROW_KEYS, then every number of metrics of maps."""
    images: pd.DataFrame
    """A row for each image and class: IMAGE_COLUMNS. `sources`: whose marks there are; `patches`: how many the model saw."""
    lesions: pd.DataFrame
    """A row for each drawn lesion of a positive image: LESION_COLUMNS, then RATING of each source. `lesion` counts from 1;
    `in_patches` is the share of its pixels in the patches, NaN without patches or pixels."""
    marks: pd.DataFrame
    """A row for each mark: MARK_COLUMNS. `lesion`: those that it hits, joined by ";"."""
    pooled: Mapping[tuple[str, str], PixelCounts]
    """(class, map) -> the counts of all images with a mask."""


@dataclass(frozen=True)
class Drawn:
    """What a manifest says of an image. What is not known of a class is not in the mapping."""

    patient_id: str
    labels: Mapping[str, float] = field(default_factory=dict)
    masks: Mapping[str, Path] = field(default_factory=dict)
    mask_frame: str | None = None
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)
    pixel_mm: float | None = None

    def is_of(self, label: str, lesions: Sequence[Lesion]) -> str:
        """What the image is for a class, of which these lesions are drawn."""
        known = self.labels.get(label)
        if known is None:
            return UNKNOWN
        if known == 0:
            return CONTRADICTORY if lesions else NORMAL
        return LESIONS if lesions else EMPTY if label in self.masks else UNDRAWN


class Localiser:
    """Takes images one by one."""

    def __init__(self, method: Method, classes: Collection[str]) -> None:
        """`classes`: those of which lesions are drawn in some image; marks of others could hit nothing."""
        self._method, self._classes = method, classes
        self._pixels: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._lesions: list[dict[str, Any]] = []
        self._marks: list[dict[str, Any]] = []
        self._pooled: defaultdict[tuple[str, str], PixelCounts] = defaultdict(PixelCounts)

    def add(self, prediction: Prediction, drawn: Drawn) -> None:
        """One image. ValueError when a mask does not have the size of its frame."""
        classes = [label for label in prediction.scores if label in self._classes]
        masks = {label: path for label, path in drawn.masks.items() if label in classes}
        pixels = image_masks(masks, prediction.grid, drawn.mask_frame)
        for label in classes:
            about = {"image_id": prediction.image_id, "patient_id": drawn.patient_id, "class": label}
            mask = pixels.get(label)
            if mask is None:
                lesions = lesions_of_boxes(drawn.boxes.get(label, ()))
            else:
                lesions = lesions_of_mask(mask)
                self._measure_maps(about, prediction, mask, lesions, _pixel_mm(prediction, drawn))
            self._mark(about, prediction, drawn, lesions)

    def found(self) -> Localised:
        """What was found in the images so far."""
        return Localised(
            pd.DataFrame(self._pixels, columns=None if self._pixels else ROW_KEYS),
            pd.DataFrame(self._images, columns=IMAGE_COLUMNS),
            pd.DataFrame(self._lesions, columns=None if self._lesions else LESION_COLUMNS),
            pd.DataFrame(self._marks, columns=MARK_COLUMNS),
            self._pooled,
        )

    def _measure_maps(
        self,
        about: dict[str, Any],
        prediction: Prediction,
        mask: NDArray[np.bool_],
        lesions: list[Lesion],
        pixel_mm: tuple[float, float] | None,
    ) -> None:
        label, largest = about["class"], max((lesion.diameter_px for lesion in lesions), default=np.nan)
        size = {"lesion_px": int(mask.sum()), "diameter_px": largest, "diameter_mm": largest * _side_mm(pixel_mm)}
        for name, image in maps_on_mask(prediction, label, mask, self._method.seed):
            self._pixels.append({**about, "map": name, **size, **self._method.of_map(image)})
            if name != RANDOM:
                self._pooled[label, name].add(about["patient_id"], *image.histograms)

    def _mark(self, about: dict[str, Any], prediction: Prediction, drawn: Drawn, lesions: list[Lesion]) -> None:
        label, rule = about["class"], self._method.rule
        pixel_mm = _pixel_mm(prediction, drawn)
        what = drawn.is_of(label, lesions)
        marks: dict[str, list[Mark]] = {name: [] for name in (*prediction.maps, FINDINGS)}
        if what in (LESIONS, NORMAL):
            channel = list(prediction.scores).index(label)
            marks = {
                name: marks_of_map(values[channel], prediction.grid, pixel_mm, rule)
                for name, values in prediction.maps.items()
            }
            marks[FINDINGS] = marks_of_findings(prediction.findings, label, rule)
        self._images.append({**about, "is": what, "sources": tuple(marks), "patches": len(prediction.patches)})
        if what not in (LESIONS, NORMAL):
            lesions = []
        ratings = {}
        for name, of_source in marks.items():
            hits = hits_of(of_source, lesions, rule)
            ratings[RATING.format(name)] = hits.rating
            for mark, hit, counts_as in zip(of_source, hits.lesions, hits.counts_as, strict=True):
                row, column = mark.place
                numbers = ";".join(str(number + 1) for number in hit)
                place = {"rating": mark.rating, "row": row, "column": column, "lesion": numbers, "counts_as": counts_as}
                self._marks.append({**about, "of": name, **place})
        for number, lesion in enumerate(lesions):
            of_lesion = {name: rating[number] for name, rating in ratings.items()}
            self._lesions.append({**about, **_lesion_row(number + 1, lesion, prediction, pixel_mm), **of_lesion})


def localise(joined: Joined, method: Method) -> Localised:
    """Of all images of `joined`; of tables of scores, nothing. ValueError when a mask does not have the size of its frame."""
    folders = joined.folders or {}
    kinds = {label: [MASK.format(label), BOXES.format(label)] for label in joined.predicted if folders}
    classes = {label for label, columns in kinds.items() if joined.images[columns].notna().any(axis=None)}
    localiser = Localiser(method, classes)
    images = joined.images if classes else joined.images[:0]
    with Bar("maps and marks of images", len(images)) as bar:
        for image in images.to_dict("records"):
            folder, drawn = folders[image["image_id"]], _drawn(image, sorted(classes))
            localiser.add(load_prediction(folder, image["image_id"]), drawn)
            bar.advance()
    return localiser.found()


def _drawn(image: Mapping[Any, Any], classes: Sequence[str]) -> Drawn:
    """A row of the table of `join` as what it says of some classes."""
    said = {name: cell for name, cell in image.items() if pd.notna(cell)}

    def of(kind: str) -> dict[str, Any]:
        return {label: said[kind.format(label)] for label in classes if kind.format(label) in said}

    masks = {label: Path(file) for label, file in of(MASK).items()}
    boxes = {label: read_boxes(text) for label, text in of(BOXES).items()}
    return Drawn(said["patient_id"], of("{}"), masks, said.get("mask_frame"), boxes, said.get("pixel_mm"))


def _pixel_mm(prediction: Prediction, drawn: Drawn) -> tuple[float, float] | None:
    """Distance of rows and of columns, of the file or, where that does not tell, of the manifest."""
    if prediction.source and prediction.source.pixel_mm:
        return prediction.source.pixel_mm
    return (drawn.pixel_mm, drawn.pixel_mm) if drawn.pixel_mm else None


def _side_mm(pixel_mm: tuple[float, float] | None) -> float:
    """Of a square pixel of the same area; NaN: unknown."""
    return float(np.sqrt(pixel_mm[0] * pixel_mm[1])) if pixel_mm else np.nan


def _lesion_row(
    number: int, lesion: Lesion, prediction: Prediction, pixel_mm: tuple[float, float] | None
) -> dict[str, Any]:
    patches = [
        prediction.grid.box_in_original(patch.row, patch.col, patch.row + patch.size, patch.col + patch.size)
        for patch in prediction.patches
    ]
    known = bool(patches) and lesion.pixels is not None
    return {
        "lesion": number,
        **dict(zip(("top", "left", "bottom", "right"), lesion.box, strict=True)),
        "area_px": lesion.area_px,
        "diameter_px": lesion.diameter_px,
        "diameter_mm": lesion.diameter_px * _side_mm(pixel_mm),
        "in_patches": lesion.covered_px(patches) / lesion.area_px if known else np.nan,
    }
