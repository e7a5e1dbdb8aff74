"""predictions/ + manifest, or tables of scores -> metrics.json, metrics.csv, per_image.csv and figures: how good, and how sure.

metrics.json holds, beside where the numbers come from,

    scores   level -> class -> source ("final", parts of the model) -> metric, counts
    operating_points   level -> class -> name -> threshold, counts, measures (operating_points.py); empty: none was asked for
    calibration   class -> source ("final", "calibrated") -> number, counts (calibration.py)
    curves   level, kind of curve -> its file (curves.py)
    window   images whose facts are known, those of which the model saw too little (`PrepConfig.least_in_window`)
    maps, marks, mark_rule   how well places are found (localisation.py)
    titles   metric -> what people call it, of those in the summary
    by       breakdown -> level, columns, values (value -> class -> as in scores), heterogeneity (class -> test)

Each number has its 95 % interval (bootstrap by patient), n, and what was left out. What is undefined is null, with a
reason. Of tables there are no maps and no window, `manifest` and `predictions` are null, and `table` says what was read.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import mammoseg
from mammoseg.config import parse
from mammoseg.data.columns import BOXES, path_columns
from mammoseg.data.manifest import Manifest
from mammoseg.data.window_fit import fits
from mammoseg.evaluation.breakdowns import breakdowns
from mammoseg.evaluation.calibration import calibration_numbers
from mammoseg.evaluation.calibration_figures import CALIBRATIONS, write_calibration
from mammoseg.evaluation.counts import counts
from mammoseg.evaluation.curves import AXES, curve_table, curves_about, draw_curves
from mammoseg.evaluation.figures import pr_figure, roc_figure
from mammoseg.evaluation.forest import forest_figure
from mammoseg.evaluation.join import Joined, join
from mammoseg.evaluation.localisation import TITLES, localisation
from mammoseg.evaluation.localise import localise
from mammoseg.evaluation.maps import ROW_KEYS
from mammoseg.evaluation.mark_rule import MarkRule
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.operating_points import operating_points, points_of, read_points
from mammoseg.evaluation.places import PLACES, write_places
from mammoseg.evaluation.scores import level_tables, score_tables
from mammoseg.evaluation.tables import all_rows
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import FIGURE_KINDS, write_figure
from mammoseg.io.runs import read_run, stored_facts
from mammoseg.prep.config import PrepConfig

logger = logging.getLogger(__name__)

FIGURES = tuple(f"{name}.{kind}" for name in ("roc", "pr", "forest") for kind in FIGURE_KINDS)
TABLES = ("metrics.csv", "per_image.csv", *(f"{kind}.csv" for kind in AXES))
FILES = ("metrics.json", "report.html", *TABLES, *FIGURES, *CALIBRATIONS, *PLACES)
FORMAT = 2
"""Version of the structure of metrics.json. 2: other levels, and null where a table has nothing to say."""


def evaluate(
    predictions: Path | Sequence[Path],
    manifest: Manifest,
    out: Path,
    split: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    by: Sequence[str] = (),
    date: str | None = None,
    metrics: Sequence[str] = (),
    training: bool = False,
    cuts: Mapping[str, Sequence[float]] | None = None,
    at: Sequence[str] = (),
    at_of: Path | None = None,
    rule: MarkRule | None = None,
) -> dict[str, Any]:
    """Evaluate a predictions folder and write the files into `out`; returns what metrics.json holds.

    Several folders are parts of one evaluation, of disjoint images. `split` restricts to one split of the manifest, `training` lets
    images of patients in that the model has learned from; the rest as in `evaluate_joined`. Raises JoinError or ManifestError when
    predictions and manifest do not fit, RunFileError for a damaged predictions folder, and what `evaluate_joined` raises.
    """
    load_metrics(metrics)  # mistakes in them are better known before everything is read
    joined = join(predictions, manifest, split, training)
    return evaluate_joined(joined, out, bootstrap, seed, by, date, metrics, split, cuts, at, at_of, rule)


def evaluate_joined(
    joined: Joined,
    out: Path,
    bootstrap: int = 1000,
    seed: int = 0,
    by: Sequence[str] = (),
    date: str | None = None,
    metrics: Sequence[str] = (),
    split: str | None = None,
    cuts: Mapping[str, Sequence[float]] | None = None,
    at: Sequence[str] = (),
    at_of: Path | None = None,
    rule: MarkRule | None = None,
) -> dict[str, Any]:
    """Evaluate cases with scores and labels, of `join` or `read_score_table`; writes the files and returns what metrics.json holds.

    Those of an earlier evaluation are deleted before, and metrics.json is written last: what stands there together belongs
    together.

    `by` names columns to break the scores down by, two as "density,vendor"; `cuts` says where columns of numbers are cut; `at`
    are operating points such as "sensitivity=0.9", `at_of` is the metrics.json of an evaluation whose thresholds are taken over;
    `rule` says which places of maps are marks; `date` is written into the result as given; `metrics` are the dotted names of
    metrics beside those of mammoseg (method.py). In the returned dictionary undefined numbers are NaN, in the file null.

    Raises PluginError or MetricError for a metric, ConfigError for a column or an operating point, OperatingPointError for `at_of`,
    ValueError for a mask that does not fit its image.
    """
    method = Method(load_metrics(metrics), joined.classes, bootstrap, seed, rule or MarkRule())
    here, before = read_points(at), points_of(at_of) if at_of else {}
    logger.info("evaluating %d images, %d failed in prediction", len(joined.images), len(joined.failed))
    tables = level_tables(joined.images, joined.sources, method.classes, joined.levels)
    level = "breast" if "breast" in tables else "image"
    groups = breakdowns(joined.images, tables, by, method, cuts or {})
    found = localise(joined, method)
    scores = score_tables(tables, joined.sources, method)
    curves = draw_curves(tables[level], scores[level], method)
    fitted = method.for_fits(len(tables[level]))
    calibrated = calibration_numbers(tables[level], fitted, joined.calibration, level)
    results = {
        "format": FORMAT,
        "version": mammoseg.__version__,
        "date": date,
        "manifest": None,
        "predictions": None,
        **joined.about,
        "split": split,
        "bootstrap": bootstrap,
        "seed": seed,
        **counts(joined),
        "scores": scores,
        "operating_points": operating_points(tables, method, here, before),
        "calibration": calibrated,
        "curves": curves_about(curves, level, method),
        "window": _window(joined),
        **localisation(found, joined, method, by, cuts or {}),
        "by": groups,
        "titles": method.titles() | TITLES,
    }
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    write_csv(out / "metrics.csv", pd.DataFrame(all_rows(results)))
    write_csv(out / "per_image.csv", _per_image(joined, found.pixel_rows))
    for kind, drawn in curves.items():
        write_csv(out / f"{kind}.csv", curve_table(kind, drawn))
    write_figure(out, "roc", roc_figure(curves["roc"], scores[level], level))
    write_figure(out, "pr", pr_figure(curves["pr"], scores[level], level))
    write_calibration(out, tables[level], fitted, joined.calibration, calibrated)
    if forest := forest_figure(groups, scores):
        write_figure(out, "forest", forest)
    write_places(out, found, results["marks"])
    write_json(out / "metrics.json", results)
    return results


def _window(joined: Joined) -> dict[str, int] | None:
    """How many images the model could not see as it should: their scores and maps count all the same. None: a table."""
    folders = joined.folders
    if folders is None:
        return None
    preps = {
        folder: parse(PrepConfig, read_run(folder).get("prep", {}), str(folder / "run.json"))
        for folder in dict.fromkeys(folders.values())
    }
    found = [(folders[name], stored_facts(folders[name], name)) for name in joined.images["image_id"]]
    known = [fits(facts, preps[folder]) for folder, facts in found if facts]
    return {"images_known": len(known), "images_below": known.count(False)}


def _per_image(joined: Joined, pixel_rows: pd.DataFrame) -> pd.DataFrame:
    """Every image with labels, scores and its map metrics (columns <class>_<map>_<metric>); failed ones at the end."""
    table = pd.concat([joined.images.assign(failed=0), joined.failed.assign(failed=1)], ignore_index=True)
    left_out = {"mask_frame", *path_columns(table)}
    table = table[[column for column in table if column not in left_out and not str(column).endswith(BOXES.format(""))]]
    about = ["image_id", "class", "map"]
    values = pixel_rows.drop(columns=[name for name in ROW_KEYS if name not in about]).melt(about)
    values["column"] = values["class"] + "_" + values["map"] + "_" + values["variable"]
    wide = values.pivot(index="image_id", columns="column", values="value")
    return table.merge(wide, how="left", left_on="image_id", right_index=True)
