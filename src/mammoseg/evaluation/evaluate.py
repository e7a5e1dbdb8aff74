"""predictions/ + manifest -> metrics.json, metrics.csv, per_image.csv and the ROC figure: how good a run is, and how sure.

metrics.json holds, beside where the numbers come from,

    scores   level -> class -> source ("final", parts of the model) -> metric, counts
    window   images whose facts are known, those of which the model saw too little (`PrepConfig.least_in_window`)
    maps     class -> maps, ratio_to_random (-> map -> metric), saliency_minus_global (-> metric), counts
    titles   metric -> what people call it, of those in the summary
    by       manifest column -> values -> value -> class -> as in scores

Each number has its 95 % interval (bootstrap by patient), n, and what was left out. What is undefined is null, with a
reason.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import mammoseg
from mammoseg.bounded import sha256_of
from mammoseg.config import parse
from mammoseg.data.columns import BOXES, path_columns
from mammoseg.data.manifest import Manifest
from mammoseg.data.window_fit import fits
from mammoseg.evaluation.figures import roc_figure, write_figure
from mammoseg.evaluation.join import Joined, join
from mammoseg.evaluation.maps import ROW_KEYS, image_rows, map_tables
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.evaluation.scores import BREAST, FINAL, NOT_PREDICTED, breakdown, breast_table, score_tables
from mammoseg.evaluation.tables import all_rows
from mammoseg.io.atomic import write_json
from mammoseg.io.cells import write_csv
from mammoseg.io.figures import FIGURE_KINDS
from mammoseg.io.runs import load_prediction, read_run, stored_facts
from mammoseg.prep.config import PrepConfig
from mammoseg.progress import Bar

logger = logging.getLogger(__name__)

FILES = ("metrics.json", "metrics.csv", "per_image.csv", "report.html", *(f"roc.{kind}" for kind in FIGURE_KINDS))
FORMAT = 1
"""Version of the structure of metrics.json."""


def evaluate(
    predictions: Path,
    manifest: Manifest,
    out: Path,
    split: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    by: Sequence[str] = (),
    date: str | None = None,
    metrics: Sequence[str] = (),
    training: bool = False,
) -> dict[str, Any]:
    """Evaluate a predictions folder and write the files into `out`; returns what metrics.json holds.

    Those of an earlier evaluation are deleted before, and metrics.json is written last: what stands there together belongs
    together.

    `split` restricts to one split of the manifest, `by` names manifest columns to break the scores down by, `date` is
    written into the result as given, `metrics` are the dotted names of metrics beside those of mammoseg (see method.py);
    `training` lets images of patients in that the model has learned from. In the returned dictionary undefined numbers are
    NaN, in the file null. Raises JoinError or ManifestError when predictions and manifest do not fit, RunFileError for a
    damaged predictions folder, PluginError or MetricError for a metric, ValueError for an unknown column or a mask that does
    not fit its image.
    """
    plugins = load_metrics(metrics)
    joined = join(predictions, manifest, split, training)
    logger.info("evaluating %d images, %d failed in prediction", len(joined.images), len(joined.failed))
    method = Method(plugins, joined.classes, bootstrap, seed)
    breakdowns = {column: breakdown(joined.images, column, method) for column in by}
    pixel_rows = _pixel_rows(predictions, joined, method)
    results = {
        "format": FORMAT,
        "version": mammoseg.__version__,
        "date": date,
        "manifest": {"file": manifest.path.name, "sha256": manifest.sha256()},
        "predictions": {
            "run_sha256": sha256_of(predictions / "run.json"),
            "table_sha256": sha256_of(predictions / "predictions.csv"),
            "run": read_run(predictions),
        },
        "split": split,
        "bootstrap": bootstrap,
        "seed": seed,
        **_counts(joined),
        "scores": score_tables(joined.images, joined.sources, method),
        "window": _window(predictions, joined),
        "maps": _with_mask_counts(map_tables(pixel_rows, method), joined),
        "by": breakdowns,
        "titles": method.titles(),
    }
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    write_csv(out / "metrics.csv", pd.DataFrame(all_rows(results)))
    write_csv(out / "per_image.csv", _per_image(joined, pixel_rows))
    breasts = breast_table(joined.images, [FINAL], method.classes)
    write_figure(out, "roc", roc_figure(breasts, results["scores"]["breast"]))
    write_json(out / "metrics.json", results)
    return results


def _window(predictions: Path, joined: Joined) -> dict[str, int]:
    """How many images the model could not see as it should: their scores and maps count all the same."""
    prep = parse(PrepConfig, read_run(predictions).get("prep", {}), str(predictions / "run.json"))
    found = (stored_facts(predictions, image_id) for image_id in joined.images["image_id"])
    known = [facts for facts in found if facts]
    return {"images_known": len(known), "images_below": sum(not fits(facts, prep) for facts in known)}


def _pixel_rows(predictions: Path, joined: Joined, method: Method) -> pd.DataFrame:
    rows = []
    columns = {label: f"{label}_mask" for label in joined.predicted}
    annotated = joined.images[joined.images[list(columns.values())].notna().any(axis=1)]
    with Bar("maps of images with a mask", len(annotated)) as bar:
        for image in annotated.to_dict("records"):
            masks = {label: Path(image[column]) for label, column in columns.items() if pd.notna(image[column])}
            frame = image["mask_frame"] if pd.notna(image["mask_frame"]) else None
            rows += image_rows(
                load_prediction(predictions, image["image_id"]), image["patient_id"], masks, frame, method
            )
            bar.advance()
    return pd.DataFrame(rows, columns=None if rows else ROW_KEYS)


def _counts(joined: Joined) -> dict[str, Any]:
    breasts, of_failed = (set(table[BREAST].itertuples(index=False)) for table in (joined.images, joined.failed))
    return {
        "n_images": len(joined.images),
        "n_breasts": len(breasts),
        "n_exams": len(joined.images[["patient_id", "exam_id"]].drop_duplicates()),
        "n_patients": joined.images["patient_id"].nunique(),
        "n_failed": len(joined.failed),
        "n_of_training": joined.of_training,
        "n_breasts_failed": len(of_failed - breasts),
        "failed": sorted(joined.failed["image_id"]),
    }


def _with_mask_counts(tables: dict[str, Any], joined: Joined) -> dict[str, Any]:
    """How many images the map metrics of a class speak for, and how many they could not speak for."""
    for label, table in tables.items():
        masked, positive = joined.images[f"{label}_mask"].notna(), joined.images[label] == 1
        reason = None if masked.any() else "no image has a mask of this class"
        table |= {
            "reason": reason if label in joined.predicted else NOT_PREDICTED,
            "images_with_mask": int(masked.sum()),
            "positive_without_mask": int((positive & ~masked).sum()),
            "failed_with_mask": int(joined.failed[f"{label}_mask"].notna().sum()),
        }
    return tables


def _per_image(joined: Joined, pixel_rows: pd.DataFrame) -> pd.DataFrame:
    """Every image with labels, scores and its map metrics (columns <class>_<map>_<metric>); failed ones at the end."""
    table = pd.concat([joined.images.assign(failed=0), joined.failed.assign(failed=1)], ignore_index=True)
    left_out = {"mask_frame", *path_columns(table)}
    table = table[[column for column in table if column not in left_out and not str(column).endswith(BOXES.format(""))]]
    values = pixel_rows.drop(columns=["patient_id", "lesion_px"]).melt(["image_id", "class", "map"])
    values["column"] = values["class"] + "_" + values["map"] + "_" + values["variable"]
    wide = values.pivot(index="image_id", columns="column", values="value")
    return table.merge(wide, how="left", left_on="image_id", right_index=True)
