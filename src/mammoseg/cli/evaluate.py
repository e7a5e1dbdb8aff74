"""`mammoseg evaluate`: predictions + manifest -> metrics."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def evaluate(
    predictions: Annotated[Path, typer.Option("--predictions", help="Folder that `predict` wrote.")],
    manifest: options.Manifest,
    out: options.Out,
    split: options.Split = None,
    hash_ids: options.HashIds = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="COLUMN", help="AUC within each value, too; repeatable.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="MODULE", help="Metric of your own, such as my_lab.metrics.toy; repeatable."),
    ] = None,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Replicates for the 95 % intervals.")] = 1000,
    seed: options.Seed = 0,
    training: Annotated[
        bool,
        typer.Option("--allow-training-images", help="Also images of patients that the model has learned from."),
    ] = False,
) -> int:
    """Measure predictions: AUC, average precision, Dice and PxAP, with intervals.

    Writes metrics.json, metrics.csv, per_image.csv and the ROC figure (roc.png, roc.pdf, roc.svg). Exit code 3: some images
    had failed in `predict`.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.data.manifest import load_manifest
    from mammoseg.evaluation.evaluate import evaluate as run
    from mammoseg.evaluation.tables import breakdown_table, summary_table
    from mammoseg.ingest.pseudonyms import read_salt, with_pseudonyms
    from mammoseg.io.outputs import writing_to

    table = load_manifest(manifest)
    table = with_pseudonyms(table, read_salt(hash_ids)) if hash_ids else table
    with writing_to(out):
        metrics = run(
            *(predictions, table, out),
            split=split,
            bootstrap=bootstrap,
            seed=seed,
            by=by or [],
            metrics=metric or [],
            training=training,
        )
    print_table(summary_table(metrics))
    for column in by or []:
        print(f"\nBy {column}, a row for each value and class; cases are {metrics['by'][column]['level']}s:")
        print_table(breakdown_table(metrics, column))
    if learned := metrics["n_of_training"]:
        print(f"Caution: from patients of {learned} of {metrics['n_images']} images the model has learned.")
    if below := metrics["window"]["images_below"]:
        print(f"Caution: on {below} of {metrics['n_images']} images the model saw too little of the breast.")
    print(f"All numbers: {out / 'metrics.json'}")
    return 3 if metrics["n_failed"] else 0
