"""Every metric of marks for each class and source of marks (maps, findings), and which lesions were found, by size and by column.

`found` is the share of lesions with any mark, `found_at_1` that with a mark above the threshold that has at most 1 non-lesion
localisation per image, over all images. That threshold is held fixed in the intervals.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mammoseg.evaluation.localise import (
    CONTRADICTORY,
    EMPTY,
    LESIONS,
    NORMAL,
    RATING,
    UNDRAWN,
    UNKNOWN,
    Localised,
)
from mammoseg.evaluation.maps import SALIENCY, mean_of
from mammoseg.evaluation.marks import FALSE
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.scores import caution
from mammoseg.evaluation.sizes import by_size
from mammoseg.statistics.bootstrap import affordable, interval_from, patient_weights
from mammoseg.statistics.froc import Marked, froc_curve

POINTS = ["class", "of", "threshold", "found", "false_per_image", "false_per_normal_image"]
_NO_LESION, _NO_NORMAL = "no image with a drawn lesion", "no image is known to have no lesion of this class"
_LEFT_OUT = (UNKNOWN, UNDRAWN, EMPTY, CONTRADICTORY)


class Source(NamedTuple):
    """The marks of a class by one map, or the findings."""

    label: str
    name: str
    marked: Marked
    patients: list[str]
    """Of the n images."""
    lesions: pd.DataFrame
    """As of `Localised`, with the column `rating`; in the order of `marked`."""


def sources(found: Localised) -> Iterator[Source]:
    """Class by class, the final map first."""
    of_marks = dict(iter(found.marks.groupby(["class", "of"], sort=False)))
    for label, images in found.images.groupby("class", sort=False):
        used = images[images["is"].isin([LESIONS, NORMAL])]
        names = dict.fromkeys(name for names in images["sources"] for name in names)
        of_class = found.lesions[found.lesions["class"] == label]
        for name in sorted(names, key=lambda name: name != SALIENCY):
            of_source = used[[name in names for names in used["sources"]]]
            place = pd.Series(np.arange(len(of_source)), of_source["image_id"])
            lesions = of_class[of_class["image_id"].isin(place.index)] if len(place) else of_class[:0]
            rating = lesions[RATING.format(name)] if len(lesions) else pd.Series([], dtype=np.float64)
            marks = of_marks.get((label, name), found.marks[:0])
            false = marks[marks["counts_as"] == FALSE]
            marked = Marked(
                (of_source["is"] == NORMAL).to_numpy(),
                place[lesions["image_id"]].to_numpy(np.int64),
                rating.to_numpy(np.float64),
                place[false["image_id"]].to_numpy(np.int64),
                false["rating"].to_numpy(np.float64),
            )
            yield Source(str(label), name, marked, of_source["patient_id"].tolist(), lesions.assign(rating=rating))


def mark_tables(found: Localised, method: Method, columns: Mapping[str, pd.Series]) -> dict[str, Any]:
    """class -> source -> counts, metrics, `by_size` (group -> number) and `by` (column -> group -> number).

    `columns`: image_id -> group, as categories in the order in which they are shown. A class of which nothing is drawn is missing.
    """
    tables: dict[str, Any] = {}
    for source in sources(found):
        images = found.images[found.images["class"] == source.label]
        tables.setdefault(source.label, {})[source.name] = {
            **_counts(source, images["is"]),
            **mark_numbers(source.marked, source.patients, method),
            **_breakdowns(source, method, columns),
        }
    return tables


def froc_points(found: Localised) -> pd.DataFrame:
    """Every point of every FROC curve, from the highest threshold down: POINTS."""
    tables = [pd.DataFrame(columns=POINTS)]
    for source in sources(found):
        normal = source.marked.normal.astype(np.float64)
        curve = froc_curve(source.marked, np.stack([np.ones_like(normal), normal]))
        about = {"class": source.label, "of": source.name, "threshold": curve.rating}
        rates = {"false_per_image": curve.false[0], "false_per_normal_image": curve.false[1]}
        tables.append(pd.DataFrame({**about, "found": curve.found[0], **rates}))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _counts(source: Source, status: pd.Series) -> dict[str, Any]:
    marked = source.marked
    positive = np.zeros(marked.normal.size, bool)
    positive[marked.lesion_image] = True
    patients = np.array(source.patients, dtype=object)
    with_lesion, without = (len(set(patients[which])) for which in (positive, marked.normal))
    return {
        "n": marked.normal.size,
        "positives": int(positive.sum()),
        "negatives": int(marked.normal.sum()),
        "positive_patients": with_lesion,
        "negative_patients": without,
        "lesions": marked.lesion_image.size,
        "false_marks": marked.false_image.size,
        **{name: int((status == name).sum()) for name in _LEFT_OUT},
        "caution": caution(with_lesion, without) if marked.lesion_image.size else None,
    }


def mark_numbers(marked: Marked, of_images: Sequence[str], method: Method) -> dict[str, Any]:
    """Each metric with its interval by patient, `of_images` (n,); all of them see the same draws.

    The number of patients that decides is that of the side, images with lesions or normal ones, without which a metric is
    undefined.
    """
    patients = np.array(of_images, dtype=str)
    positive = np.bincount(marked.lesion_image, minlength=marked.normal.size) > 0
    values = method.of_marks(marked, np.ones((1, marked.normal.size)))
    sides = [(side, method.of_marks(marked, (~side)[None].astype(np.float64))) for side in (positive, marked.normal)]
    count = np.unique(patients).size
    replicates = affordable(method.bootstrap, patients.size) if count > 1 else 0
    drawn = [method.of_marks(marked, weights) for weights in patient_weights(patients, replicates, method.seed)]
    why = _NO_LESION if not positive.any() else _NO_NORMAL if not marked.normal.any() else "the metric is not defined"
    numbers = {}
    for name, [value] in values.items():
        undefined = bool(np.isnan(value))
        units = [np.unique(patients[side]).size for side, without in sides if np.isnan(without[name][0])]
        replicated = np.concatenate([block[name] for block in drawn]) if drawn and not undefined else np.empty(0)
        asked = method.bootstrap > 0 and not undefined
        spread = interval_from(replicated, min([count, *units]), method.scale(name), float(value), asked)
        numbers[name] = {
            "value": float(value),
            **spread.as_numbers,
            "reason": why if undefined else None,
        }
    return numbers


def _breakdowns(source: Source, method: Method, columns: Mapping[str, pd.Series]) -> dict[str, Any]:
    lesions = source.lesions
    if not len(lesions):
        return {"threshold_at_1": np.nan, "by_size": {}, "by": {}}
    threshold = _threshold(source.marked)
    size = by_size(lesions["diameter_px"].to_numpy(np.float64), lesions["diameter_mm"].to_numpy(np.float64))

    def found(of: pd.DataFrame) -> dict[str, Any]:
        rating, patients = of["rating"].to_numpy(np.float64), of["patient_id"].tolist()
        hit = {"found": np.isfinite(rating), "found_at_1": rating >= threshold}
        return {name: mean_of(values.astype(np.float64), patients, method, _NO_LESION) for name, values in hit.items()}

    def grouped(groups: pd.Series, names: list[str]) -> dict[str, Any]:
        tables = {name: lesions[(groups == name).to_numpy()] for name in names}
        return {name: found(table) for name, table in tables.items() if len(table)}

    sizes = pd.Series(np.array(size.names, dtype=object)[size.group])
    by = {
        name: grouped(lesions["image_id"].map(groups.astype(object)), [*groups.cat.categories])
        for name, groups in columns.items()
    }
    return {"threshold_at_1": threshold, "by_size": grouped(sizes, size.names), "by": by}


def _threshold(marked: Marked) -> float:
    """The lowest rating with at most one non-lesion localisation per image; infinite without a mark, and where every mark is one
    too many."""
    curve = froc_curve(marked, np.ones((1, marked.normal.size)))
    allowed = curve.rating[
        (curve.false[0] <= 1 + 1e-12) & np.isfinite(curve.rating)
    ]  # without a mark: one point, at -inf
    return float(allowed[-1]) if allowed.size else np.inf
