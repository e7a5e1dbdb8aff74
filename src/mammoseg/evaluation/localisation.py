"""What `localise` found -> the parts of metrics.json about places, and their rows in metrics.csv.

    maps        class -> maps (map -> metric, `pxap_pooled`), ratio_to_random, saliency_minus_global,
                patches (number; empty: no lesion on an image with patches),
                lesion_share (of the pixels that lie in lesions: the floor of pooled PxAP), by_size (map -> group -> metric),
                by (column -> map -> group -> metric), counts
    marks       class -> source (map or "findings") -> counts, metrics, threshold_at_1, by_size (group -> number),
                by (column -> group -> number)
    mark_rule   the settings of marks (mark_rule.py)

Numbers of patches: `roi_hit`, the share of images whose patches cover at least 70 % of the pixels of their lesions together (Shen
et al. 2021, arXiv:2002.07613, 78.1 % there); `roi_hit_lesion`, the share of lesions of which they cover as much; `roi_covered`, the
mean share of the lesion pixels of an image that they cover.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mammoseg.evaluation.free_response import mark_tables
from mammoseg.evaluation.grouping import Groups
from mammoseg.evaluation.join import Joined
from mammoseg.evaluation.localise import Localised
from mammoseg.evaluation.maps import RANDOM, map_tables, mean_of
from mammoseg.evaluation.method import Method
from mammoseg.evaluation.pooled import NAME, TITLE
from mammoseg.evaluation.scores import NOT_PREDICTED
from mammoseg.evaluation.sizes import by_size

COVERED = 0.7
"""Share of a lesion's pixels that makes it found by the patches."""
TITLES = {NAME: TITLE, "roi_hit": "Lesion in the patches"}
"""Of the numbers in the summary that are no metrics of their own."""


def localisation(
    found: Localised, joined: Joined, method: Method, by: Sequence[str], cuts: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """The parts of metrics.json; empty ones for tables of scores. `by` and `cuts` as in `evaluate_joined`."""
    if joined.folders is None:
        return {"maps": {}, "marks": {}, "mark_rule": method.rule.model_dump(mode="json")}
    columns = {name: _groups(joined.images, name, cuts) for name in dict.fromkeys(by)}
    maps = map_tables(found.pixel_rows, method)
    for label, table in maps.items():
        rows = found.pixel_rows[found.pixel_rows["class"] == label]
        for name, numbers in table["maps"].items():
            if (label, name) in found.pooled:
                numbers |= found.pooled[label, name].numbers(method)
        table |= {
            "patches": _patches(found, label, method),
            "lesion_share": _lesion_share(found, label),
            **_map_breakdowns(rows, method, columns),
            **_counts(joined, label),
        }
    return {
        "maps": maps,
        "marks": mark_tables(found, method, columns),
        "mark_rule": method.rule.model_dump(mode="json"),
    }


def localisation_rows(metrics: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each number beside those of `maps` itself: marks, patches, and both broken down."""
    for label, table in metrics["maps"].items():
        about = {"level": "image", "class": label}
        for name, number in table.get("patches", {}).items():
            yield {"table": "patches", **about, "of": "patches", "metric": name, **number}
        for column, maps in {"size": table.get("by_size", {}), **table.get("by", {})}.items():
            for name, groups in maps.items():
                yield from _group_rows({"table": f"maps by {column}", **about}, name, groups)
    for label, sources in metrics.get("marks", {}).items():
        for name, table in sources.items():
            numbers = {key: value for key, value in table.items() if isinstance(value, Mapping) and "value" in value}
            counts = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
            for metric, number in numbers.items():
                yield {
                    "table": "marks",
                    "level": "image",
                    "class": label,
                    "of": name,
                    "metric": metric,
                    **counts,
                    **number,
                }
            for column, groups in {"size": table["by_size"], **table["by"]}.items():
                yield from _group_rows({"table": f"marks by {column}", "level": "lesion", "class": label}, name, groups)


def _group_rows(about: Mapping[str, Any], name: str, groups: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group, numbers in groups.items():
        for metric, number in numbers.items():
            yield {**about, "of": f"{name}: {group}", "metric": metric, **number}


def _groups(images: pd.DataFrame, name: str, cuts: Mapping[str, Sequence[float]]) -> pd.Series:
    """image_id -> group of one or two columns, as categories in their order."""
    groups = Groups(images, name, cuts)
    called = {key: group for group, key in groups.named().items()}
    values = [called[tuple(map(str, key))] for key in groups.of_image.itertuples(index=False, name=None)]
    return pd.Series(pd.Categorical(values, [*called.values()]), index=images["image_id"].to_numpy())


def _patches(found: Localised, label: str, method: Method) -> dict[str, Any]:
    lesions = found.lesions[found.lesions["class"] == label]
    lesions = lesions[lesions["in_patches"].notna()]
    if not len(lesions):
        return {}
    per_image = lesions.assign(covered=lesions["in_patches"] * lesions["area_px"]).groupby("image_id", sort=False)
    covered = per_image["covered"].sum() / per_image["area_px"].sum()
    patients = per_image["patient_id"].first().tolist()
    in_patches = lesions["in_patches"].to_numpy(np.float64)
    # A share that is 70 % to the pixel must not fall short by rounding.
    hit, hit_lesion = (
        (share > COVERED - 1e-9).astype(np.float64) for share in (covered.to_numpy(np.float64), in_patches)
    )
    return {
        "roi_hit": mean_of(hit, patients, method),
        "roi_hit_lesion": mean_of(hit_lesion, lesions["patient_id"].tolist(), method),
        "roi_covered": mean_of(covered.to_numpy(np.float64), patients, method),
    }


def _lesion_share(found: Localised, label: str) -> float | None:
    counts = [pixels.share for (of, _), pixels in found.pooled.items() if of == label]
    return counts[0] if counts else None


def _map_breakdowns(rows: pd.DataFrame, method: Method, columns: Mapping[str, pd.Series]) -> dict[str, Any]:
    """The first number of each metric of maps, within groups of images with a lesion."""
    rows = rows[(rows["lesion_px"] > 0) & (rows["map"] != RANDOM)]
    if not len(rows):
        return {"by_size": {}, "by": {}}
    metrics = [name for name in method.titles() if name in rows]
    size = by_size(rows["diameter_px"].to_numpy(np.float64), rows["diameter_mm"].to_numpy(np.float64))
    sizes = pd.Series(pd.Categorical(np.array(size.names, dtype=object)[size.group], size.names), rows.index)

    def grouped(groups: pd.Series) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        for (name, group), table in rows.groupby(["map", groups], sort=False, observed=True):
            patients = table["patient_id"].tolist()
            tables.setdefault(str(name), {})[str(group)] = {
                metric: mean_of(table[metric].to_numpy(np.float64), patients, method, "undefined in every image")
                for metric in metrics
            }
        order = {str(group): number for number, group in enumerate(groups.cat.categories)}
        return {name: dict(sorted(of.items(), key=lambda item: order[item[0]])) for name, of in tables.items()}

    by = {}
    for name, groups in columns.items():
        of_row = groups.loc[rows["image_id"]].set_axis(rows.index)
        by[name] = grouped(of_row)
    return {"by_size": grouped(sizes), "by": by}


def _counts(joined: Joined, label: str) -> dict[str, Any]:
    """How many images the map metrics of a class speak for, and how many they could not speak for."""
    masked, positive = joined.images[f"{label}_mask"].notna(), joined.images[label] == 1
    reason = None if masked.any() else "no image has a mask of this class"
    return {
        "reason": reason if label in joined.predicted else NOT_PREDICTED,
        "images_with_mask": int(masked.sum()),
        "positive_without_mask": int((positive & ~masked).sum()),
        "failed_with_mask": int(joined.failed[f"{label}_mask"].notna().sum()),
    }
