"""How well saliency maps find lesions: every metric of every map, on the pixels of the original images.

A map is brought to the image's own pixels by nearest neighbour and rounded to 16 bits. Its floor is the map "random":
every pixel uniform in [0, 1], seeded by image.

Mean and standard deviation (ddof 0, as in the papers) are over images with a mask of the class; intervals by patient.
Images whose metric is undefined (empty mask) are left out and counted.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.evaluation.method import Method
from mammoseg.evaluation.on_grid import OnGrid
from mammoseg.evaluation.scores import FEW_PATIENTS
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Prediction
from mammoseg.statistics.bootstrap import interval, mean_interval
from mammoseg.statistics.histogram import MapOnMask, RandomOnMask, to_levels

SALIENCY, GLOBAL, LOCAL, RANDOM = "saliency", "global", "local", "random"
ROW_KEYS = ["image_id", "patient_id", "class", "map", "lesion_px", "diameter_px", "diameter_mm"]
"""What a row is about: an image, class and map, the pixels of its mask, and the effective diameter of its largest lesion."""


def maps_on_mask(
    prediction: Prediction, label: str, mask_HW: NDArray[np.bool_], seed: int
) -> Iterator[tuple[str, MapOnMask]]:
    """Every map of a class on its mask, by name, and the floor. ValueError when the mask does not have the pixels of the image."""
    channel = list(prediction.scores).index(label)
    for name, values in prediction.maps.items():
        levels = to_levels(np.clip(values[channel], 0, 1))  # half precision may leave a hair over 1
        yield name, OnGrid(levels, prediction.grid, mask_HW)
    place = CLASSES.index(label) if label in CLASSES else zlib.crc32(label.encode())
    rng = np.random.default_rng([seed, zlib.crc32(prediction.image_id.encode()), place])
    yield RANDOM, RandomOnMask(mask_HW, rng)


def map_tables(rows: pd.DataFrame, method: Method) -> dict[str, Any]:
    """class -> maps, saliency_minus_global and ratio_to_random (map or metric name -> summary).

    `rows` has ROW_KEYS and every number.
    """
    return {label: _class_tables(rows[rows["class"] == label], method) for label in method.classes}


def _class_tables(rows: pd.DataFrame, method: Method) -> dict[str, Any]:
    metrics = [str(name) for name in rows if name not in ROW_KEYS]
    by_map = {str(name): group.set_index("image_id") for name, group in rows.groupby("map")}
    names = sorted(by_map, key=lambda name: (name != SALIENCY, name == RANDOM, name))  # final first, floor last
    tables: dict[str, Any] = {"maps": {}, "saliency_minus_global": {}, "ratio_to_random": {}}
    for name in names:
        tables["maps"][name] = {m: _mean(by_map[name], by_map[name][m], method) for m in metrics}
        if name != RANDOM:
            tables["ratio_to_random"][name] = {m: _ratio(by_map[name], by_map[RANDOM], m, method) for m in metrics}
    if {SALIENCY, GLOBAL} <= by_map.keys():
        final, coarse = by_map[SALIENCY], by_map[GLOBAL]
        both = final[final.index.isin(coarse.index)]
        differences = both[metrics] - coarse.loc[both.index, metrics]
        tables["saliency_minus_global"] = {m: _mean(both, differences[m], method) for m in metrics}
    return tables


def _mean(images: pd.DataFrame, values: pd.Series, method: Method) -> dict[str, Any]:
    empty = not (images["lesion_px"] > 0).any()
    why = "every mask is empty" if empty else "undefined in every image"
    return mean_of(values.to_numpy(np.float64), images["patient_id"].tolist(), method, why)


def mean_of(
    values: NDArray[np.float64], patients: Sequence[str], method: Method, why_none: str = "no case"
) -> dict[str, Any]:
    """Mean over the cases (n,) for which the value is defined, with its interval by patient; `why_none` if there are none."""
    there = ~np.isnan(values)
    defined, of = values[there], [patient for patient, known in zip(patients, there, strict=True) if known]
    spread = mean_interval(defined, of, method.bootstrap, method.seed)
    return {
        "value": float(defined.mean()) if defined.size else np.nan,
        "std": float(defined.std()) if defined.size else np.nan,
        "low": spread.low,
        "high": spread.high,
        "n": defined.size,
        "undefined": len(values) - defined.size,
        "reason": None if defined.size else why_none,
        "caution": few_patients(of),
        "no_interval": spread.reason if defined.size else None,
    }


def few_patients(patients: Sequence[str]) -> str | None:
    """What a number on fewer than FEW_PATIENTS of them never stands without."""
    several = len(set(patients))
    return f"caution: only {several} patient{'s' * (several > 1)}" if 0 < several < FEW_PATIENTS else None


def _ratio(images: pd.DataFrame, floor: pd.DataFrame, metric: str, method: Method) -> dict[str, Any]:
    """Mean of a map over the mean of random maps, on the same images."""
    defined = images[images[metric].notna()]
    over, under = defined[metric].to_numpy(np.float64), floor.loc[defined.index, metric].to_numpy(np.float64)

    def ratio(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        below = weights @ under
        return np.divide(weights @ over, below, out=np.full_like(below, np.nan), where=below > 0)

    value = float(ratio(np.ones((1, over.size)))[0])
    spread = interval(ratio, defined["patient_id"].tolist(), method.bootstrap, method.seed)
    return {
        "value": value,
        **spread.as_numbers,
        "n": over.size,
        "undefined": len(images) - over.size,
        "reason": "the random map scores 0, or every mask is empty" if np.isnan(value) else None,
        "no_interval": None if np.isnan(value) else spread.reason,
    }
