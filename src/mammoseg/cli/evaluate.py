"""`mammoseg evaluate`: predictions + manifest -> metrics."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def evaluate(
    predictions: Annotated[Path, typer.Option("--predictions", help="Folder that `predict` wrote.")],
    manifest: options.Manifest,
    out: options.Out,
    split: Annotated[str | None, typer.Option("--split", help="Only these rows: train, val, test.")] = None,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Replicates for the 95 % intervals.")] = 1000,
    seed: options.Seed = 0,
) -> int:
    """Score predictions: AUC of images and breasts, Dice and PxAP of the maps, with intervals.

    Writes metrics.json, metrics.csv, per_image.csv and roc.png.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.data.manifest import load_manifest
    from mammoseg.evaluation.evaluate import evaluate as run
    from mammoseg.evaluation.tables import summary_table

    metrics = run(predictions, load_manifest(manifest), out, split=split, bootstrap=bootstrap, seed=seed)
    print_table(summary_table(metrics))
    print(f"All numbers: {out / 'metrics.json'}")
    return 3 if metrics["n_failed"] else 0
