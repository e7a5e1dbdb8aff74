"""`mammoseg evaluate`: predictions + manifest -> metrics."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def evaluate(
    predictions: Annotated[
        list[Path],
        typer.Option("--predictions", help="Folder that `predict` wrote. Several: of each, and their spread."),
    ],
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

    Writes metrics.json, metrics.csv, per_image.csv, the ROC figure (roc.png, roc.pdf, roc.svg), and all of it as one page,
    report.html. Those of several predictions go to OUT/1, OUT/2 and so on, and mean and standard deviation over them to
    OUT/spread.csv. Exit code 3: some images had failed in `predict`.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.data.manifest import load_manifest
    from mammoseg.evaluation.evaluate import evaluate as run
    from mammoseg.evaluation.spread import spread_table, write_spread
    from mammoseg.evaluation.tables import breakdown_table, summary_table
    from mammoseg.ingest.pseudonyms import read_salt, with_pseudonyms
    from mammoseg.io.outputs import writing_to
    from mammoseg.results_page.write import write_results_page

    table = load_manifest(manifest)
    table = with_pseudonyms(table, read_salt(hash_ids)) if hash_ids else table
    several = len(predictions) > 1
    found = {}
    with writing_to(out):
        for number, folder in enumerate(predictions, start=1):
            place = out / str(number) if several else out
            found[place] = run(
                *(folder, table, place),
                split=split,
                bootstrap=bootstrap,
                seed=seed,
                by=by or [],
                metrics=metric or [],
                training=training,
            )
            write_results_page(place, folder, table)
        spread = write_spread(out, list(found.values())) if several else []
    if several:
        print_table(spread_table(spread, found[place]["titles"]))
    if len({metrics["n_images"] for metrics in found.values()}) > 1:
        print("Caution: the models were evaluated on different images, since some have failed or are missing.")
    for place, metrics in found.items():
        if not several:
            print_table(summary_table(metrics))
        for column in by or []:
            print(f"\nBy {column}, a row for each value and class; cases are {metrics['by'][column]['level']}s:")
            print_table(breakdown_table(metrics, column))
        if learned := metrics["n_of_training"]:
            print(f"Caution: from patients of {learned} of {metrics['n_images']} images the model has learned.")
        if below := metrics["window"]["images_below"]:
            print(f"Caution: on {below} of {metrics['n_images']} images the model saw too little of the breast.")
        print(f"All numbers: {place / 'metrics.json'}, as a page: {place / 'report.html'}")
    return 3 if any(metrics["n_failed"] for metrics in found.values()) else 0
