"""`mammoseg evaluate`: predictions + manifest, or tables of scores and labels -> metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mammoseg.cli import options

if TYPE_CHECKING:
    from mammoseg.evaluation.join import Joined


def evaluate(
    out: options.Out,
    predictions: Annotated[
        list[Path] | None,
        typer.Option("--predictions", help="What `predict` wrote. Several: and their spread."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Of --predictions: the table of images.")
    ] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option("--table", dir_okay=False, help="Scores instead, CSV or Excel. Several: parts."),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option("--score", metavar="COLUMN", help="Of the table. Several: models on the same cases."),
    ] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="What is true: 0 or 1.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="COLUMN", help="Default: patient_id.")] = None,
    exam: Annotated[str | None, typer.Option("--exam", metavar="COLUMN", help="Default: exam_id.")] = None,
    breast: Annotated[str | None, typer.Option("--breast", metavar="COLUMN", help="Default: laterality.")] = None,
    image: Annotated[str | None, typer.Option("--image", metavar="COLUMN", help="Default: image_id.")] = None,
    view: Annotated[str | None, typer.Option("--view", metavar="COLUMN", help="Default: view.")] = None,
    positive: Annotated[
        list[str] | None, typer.Option("--positive", metavar="VALUE", help="Of labels that are not 0 and 1.")
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option("--negative", metavar="VALUE", help="The same; others are unknown then.")
    ] = None,
    about: Annotated[str, typer.Option("--class", metavar="NAME", help="What the labels are about.")] = "malignant",
    labels: Annotated[
        Path | None, typer.Option("--labels", dir_okay=False, help="Their table, if not that of the scores.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMN[=COLUMN]", help="What both tables have in common; repeatable."),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Only cases whose column `split` says so.")] = None,
    pool: Annotated[bool, typer.Option("--pool", help="Predictions are parts of one: out-of-fold, say.")] = False,
    hash_ids: options.HashIds = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="COLUMN[,COLUMN]", help="AUC within each value, too; repeatable."),
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option("--cut", metavar="COLUMN=EDGE,...", help="Ranges of a column of --by, as age=40,50,60."),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="POINT", help="Such as sensitivity=0.9; repeatable."),
    ] = None,
    at_of: Annotated[
        Path | None,
        typer.Option("--at-of", dir_okay=False, help="metrics.json of others: its thresholds, too."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="MODULE", help="Metric of your own; repeatable."),
    ] = None,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Replicates of intervals.")] = 1000,
    seed: options.Seed = 0,
    mark_rule: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A=VALUE", help="Rule of marks, as floor=0.1; repeatable."),
    ] = None,
    training: Annotated[
        bool,
        typer.Option("--allow-training-images", help="Images of patients it has learned from, too."),
    ] = False,
) -> int:
    """Measure predictions, or scores in a table, with intervals.

    Writes metrics.json, metrics.csv, per_image.csv, ROC and precision-recall curves, a forest plot of --by, and all of it as one
    page, report.html. Those of several predictions or scores go to OUT/1, OUT/2 and so on, and mean and standard deviation over
    them to OUT/spread.csv. Exit code 3: some images had failed in `predict`, or have no score.
    """
    from mammoseg.cli.evaluated import told
    from mammoseg.config import with_overrides
    from mammoseg.evaluation.evaluate import evaluate as run
    from mammoseg.evaluation.evaluate import evaluate_joined
    from mammoseg.evaluation.grouping import read_cuts
    from mammoseg.evaluation.mark_rule import MarkRule
    from mammoseg.evaluation.score_table import Columns
    from mammoseg.evaluation.spread import write_spread
    from mammoseg.io.outputs import writing_to
    from mammoseg.results_page.write import write_results_page

    _check_input(predictions, manifest, table, score, label)
    of_tables = {
        "--score": score, "--label": label, "--patient": patient, "--exam": exam, "--breast": breast, "--image": image,
        "--view": view, "--positive": positive, "--negative": negative, "--labels": labels, "--key": key,
    }  # fmt: skip
    of_predictions = {
        "--manifest": manifest,
        "--pool": pool,
        "--allow-training-images": training,
        "--hash-ids": hash_ids,
    }
    if alien := [option for option, value in (of_predictions if table else of_tables).items() if value]:
        raise typer.BadParameter(
            f"has no meaning with {'--table' if table else '--predictions'}. Leave it out.", param_hint=", ".join(alien)
        )
    asked: dict[str, Any] = {
        "split": split, "bootstrap": bootstrap, "seed": seed, "by": by or [], "metrics": metric or [],
        "cuts": read_cuts(cut or []), "at": at or [], "at_of": at_of,
        "rule": with_overrides(MarkRule(), sets=mark_rule or ()),
    }  # fmt: skip
    images: Any = options.read_manifest(manifest, hash_ids)
    joined: Mapping[str, Joined] = {}
    if table:
        ids = (patient, exam, breast, image, view)
        columns = Columns(
            tuple(score or ()), label or "", *ids, tuple(by or ()), tuple(positive or ()), tuple(negative or ()), about
        )
        joined = _read(table, columns, labels, key or [], split)
    parts: list[Any] = list(joined) or ([predictions] if pool else list(predictions or []))
    several = len(parts) > 1
    found = {}
    with writing_to(out):
        for number, part in enumerate(parts, start=1):
            place = out / str(number) if several else out
            if table:
                found[place] = evaluate_joined(joined[part], place, **asked)
            else:
                found[place] = run(part, images, place, training=training, **asked)
            write_results_page(place, () if table else [part] if isinstance(part, Path) else part, images)
        spread = write_spread(out, list(found.values())) if several else []
    told(found, spread, by or [])
    return 3 if any(metrics["n_failed"] for metrics in found.values()) else 0


def _check_input(
    predictions: list[Path] | None,
    manifest: Path | None,
    table: list[Path] | None,
    score: list[str] | None,
    label: str | None,
) -> None:
    if bool(predictions) == bool(table):
        raise typer.BadParameter(
            "give one of both: predictions of mammoseg, or a table of scores.", param_hint="--predictions, --table"
        )
    if predictions and manifest is None:
        raise typer.BadParameter("predictions need the table of their images.", param_hint="--manifest")
    if table and not (score and label):
        raise typer.BadParameter(
            "a table needs both: the column of scores and that of labels.", param_hint="--score, --label"
        )


def _read(
    tables: list[Path], columns: Any, labels: Path | None, keys: list[str], split: str | None
) -> "Mapping[str, Joined]":
    from mammoseg.evaluation.score_table import read_score_table
    from mammoseg.ingest.tables import read_table

    return read_score_table(
        [read_table(t) for t in tables], columns, read_table(labels) if labels else None, keys, split
    )
