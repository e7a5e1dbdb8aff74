"""How well saliency maps find lesions: every metric of every map, on the pixels of the original images.

A map is brought to the image's own pixels by nearest neighbour and rounded to 16 bits. Its floor is the map "random":
every pixel uniform in [0, 1], seeded by image.

Mean and standard deviation (ddof 0, as in the papers) are over images with a mask of the class; intervals by patient.
Images whose metric is undefined (empty mask) are left out and counted.
"""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammoseg.data.masks import image_masks
from mammoseg.evaluation.method import Method
from mammoseg.records.label import CLASSES
from mammoseg.records.prediction import Prediction
from mammoseg.statistics.bootstrap import interval, mean_interval
from mammoseg.statistics.histogram import MapOnMask, RandomOnMask, to_levels

SALIENCY, GLOBAL, RANDOM = "saliency", "global", "random"
ROW_KEYS = ["image_id", "patient_id", "class", "map", "lesion_px"]


def image_rows(
    prediction: Prediction, patient_id: str, masks: Mapping[str, Path], frame: str | None, method: Method
) -> list[dict[str, Any]]:
    """One row for each predicted class with a mask (class -> file) and each map: ROW_KEYS, then every number.

    `frame` is the masks' `mask_frame`. ValueError when a mask does not have the size of its frame.
    """
    predicted = {label: path for label, path in masks.items() if label in prediction.scores}
    return [
        {"image_id": prediction.image_id, "patient_id": patient_id, "class": label, **row}
        for label, mask in image_masks(predicted, prediction.grid, frame).items()
        for row in _class_rows(prediction, label, mask, method)
    ]


def _class_rows(
    prediction: Prediction, label: str, mask: NDArray[np.bool_], method: Method
) -> Iterator[dict[str, Any]]:
    channel, lesion_px = list(prediction.scores).index(label), int(mask.sum())
    for name, values in prediction.maps.items():
        levels = to_levels(np.clip(values[channel], 0, 1))  # half precision may leave a hair over 1
        numbers = method.of_map(MapOnMask(prediction.grid.restore(levels), mask))
        yield {"map": name, "lesion_px": lesion_px, **numbers}
    place = CLASSES.index(label) if label in CLASSES else zlib.crc32(label.encode())
    rng = np.random.default_rng([method.seed, zlib.crc32(prediction.image_id.encode()), place])
    yield {"map": RANDOM, "lesion_px": lesion_px, **method.of_map(RandomOnMask(mask, rng))}


def map_tables(rows: pd.DataFrame, method: Method) -> dict[str, Any]:
    """class -> maps, saliency_minus_global and ratio_to_random (map or metric name -> summary), for `image_rows`."""
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
    """Mean over the images for which the value is defined."""
    defined = values.dropna().to_numpy(np.float64)
    spread = mean_interval(defined, images.loc[values.notna(), "patient_id"].tolist(), method.bootstrap, method.seed)
    return {
        "value": float(defined.mean()) if defined.size else np.nan,
        "std": float(defined.std()) if defined.size else np.nan,
        "low": spread.low,
        "high": spread.high,
        "n": defined.size,
        "undefined": len(values) - defined.size,
        "reason": None if defined.size else "every mask is empty",
        "no_interval": spread.reason if defined.size else None,
    }


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
        "low": spread.low,
        "high": spread.high,
        "n": over.size,
        "undefined": len(images) - over.size,
        "replicates_dropped": spread.dropped,
        "reason": "the random map scores 0, or every mask is empty" if np.isnan(value) else None,
        "no_interval": None if np.isnan(value) else spread.reason,
    }
