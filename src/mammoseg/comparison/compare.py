"""Two evaluations of the same images -> compare.json, compare.csv and figures: is B better than A, by how much, and how sure.

compare.json holds, beside where the numbers come from,

    scores             level -> class -> metric -> number (differences.py)
    operating_points   level -> class -> point -> thresholds, sensitivity, specificity
    maps               class -> metric -> number, means over images
    titles             metric -> what people call it

All differences are B less A. p values are adjusted by Holm within a family: the scores of a level, its operating points, the maps.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import mammoseg
from mammoseg.bounded import sha256_of
from mammoseg.comparison.differences import Settings, map_differences, point_differences, score_differences
from mammoseg.comparison.figures import scatter
from mammoseg.comparison.pairs import A, B, Pairs, paired
from mammoseg.comparison.tables import all_rows
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.results import SETTINGS, Results, part, read_results
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import write_figure

FORMAT = 1
"""Version of the structure of compare.json."""
SCATTER = "scatter"
"""What names of figures begin with; behind it `_` and the metric."""
_FILES = ("compare.json", "compare.csv", "compare.html")


def compare(a: Path, b: Path, out: Path, settings: Settings, metrics: Sequence[str] = ()) -> dict[str, Any]:
    """Compare what `evaluate` wrote into the folders `a` and `b`, write the files into `out`; returns what compare.json holds.

    Files of an earlier comparison are deleted before, and compare.json is written last. `metrics` are dotted names of metrics of
    scores beside those of mammoseg. In the returned dictionary undefined numbers are NaN, in the file null. Raises ResultsError for
    a folder without an evaluation, PairError for two that are not of the same images, ValueError for a margin of 0 or less.
    """
    first, second = read_results(a), read_results(b)
    pairs = paired(first, second)
    method = Method(load_metrics(metrics), pairs.classes, settings.replicates, settings.seed)
    titles = {name: title for name, title in first.titles.items() if name in second.titles}
    results = {
        "format": FORMAT,
        "version": mammoseg.__version__,
        "a": _about(first, second),
        "b": _about(second, first),
        "difference": "b - a",
        "margin": settings.margin,
        "replicates": settings.replicates,
        "seed": settings.seed,
        "n_images": len(pairs.images),
        "n_patients": pairs.images["patient_id"].nunique(),
        "left_out": list(pairs.left_out),
        "scores": {level: score_differences(pairs, level, method, settings) for level in pairs.levels},
        "operating_points": {level: point_differences(first, second, pairs, level) for level in pairs.levels},
        "maps": map_differences(pairs, titles),
        "titles": method.titles() | titles,
    }
    out.mkdir(parents=True, exist_ok=True)
    for path in [*(out / name for name in _FILES), *out.glob(f"{SCATTER}_*")]:
        path.unlink(missing_ok=True)
    write_csv(out / "compare.csv", pd.DataFrame(all_rows(results)))
    _draw(out, pairs, results)
    write_json(out / "compare.json", results)
    return results


def _about(results: Results, other: Results) -> dict[str, Any]:
    """What tells an evaluation from the other: as much of its path as differs, its model and its files."""
    parts, others = results.folder.resolve().parts, other.folder.resolve().parts
    shared = 1
    while parts[-shared:] == others[-shared:] and shared < min(len(parts), len(others)):
        shared += 1
    run = part(results.metrics, "predictions", "run")
    return {
        "name": "/".join(parts[-shared:]),
        "model": run.get("model"),
        "checkpoint_sha256": run.get("checkpoint_sha256"),
        "manifest_sha256": part(results.metrics, "manifest").get("sha256"),
        "split": results.metrics.get("split"),
        "metrics_sha256": sha256_of(results.folder / SETTINGS),
    }


def _draw(out: Path, pairs: Pairs, results: dict[str, Any]) -> None:
    """A figure for each metric of the maps that is a number and not a yes or no."""
    names = {A: results["a"]["name"], B: results["b"]["name"]}
    for metric in dict.fromkeys(metric for numbers in results["maps"].values() for metric in numbers):
        values = pairs.maps[pairs.maps["metric"] == metric]
        if not values[[A, B]].isin([0, 1]).all(axis=None):
            write_figure(out, f"{SCATTER}_{metric}", scatter(values, results["titles"][metric], names, pairs.classes))
