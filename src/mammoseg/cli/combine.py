"""`mammoseg combine`: predictions of several systems -> their weighted mean, evaluated."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def combine(
    predictions: Annotated[
        list[Path], typer.Argument(metavar="PREDICTIONS...", exists=True, file_okay=False, help="What `predict` wrote.")
    ],
    manifest: options.Manifest,
    out: options.Out,
    split: options.Split = None,
    weights: Annotated[str | None, typer.Option("--weights", metavar="0.5,0.3,0.2", help="Default: equal.")] = None,
    choose_on: Annotated[
        str | None, typer.Option("--choose-on", metavar="SPLIT", help="Choose the weights there, val for example.")
    ] = None,
    label: Annotated[str, typer.Option("--class", help="By whose AUC.")] = "malignant",
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=0, help="Replicates for intervals.")] = 1000,
    hash_ids: options.HashIds = None,
    training: Annotated[
        bool,
        typer.Option("--allow-training-images", help="Also images of patients that a system has learned from."),
    ] = False,
) -> int:
    """Evaluate the weighted mean of several systems.

    The systems may be of any kind: their scores of the same images are combined. Weights are equal, given, or chosen by AUC on
    another part than the one that is evaluated.
    """
    from mammoseg.cli.evaluated import told
    from mammoseg.combine import best_weights, equal_weights, given_weights
    from mammoseg.combine import combine as run
    from mammoseg.io.outputs import writing_to
    from mammoseg.results_page.write import write_results_page

    if weights and choose_on:
        raise typer.BadParameter(
            "the weights are given, or chosen. Leave one out.", param_hint="--weights, --choose-on"
        )
    if choose_on and (split is None or choose_on == split):
        raise typer.BadParameter(
            f"the weights would be chosen on the images that they are judged on. Evaluate another part than {choose_on}, as "
            "--split test.",
            param_hint="--choose-on",
        )
    images = options.read_manifest(manifest, hash_ids)
    if images is None:
        raise typer.BadParameter("is needed", param_hint="--manifest")
    systems = options.named(predictions)
    if choose_on:
        chosen = best_weights(systems, images, choose_on, label, training)
    else:
        chosen = given_weights(_numbers(weights)) if weights else equal_weights(len(systems))
    with writing_to(out):
        results = run(systems, images, out, split, chosen, bootstrap, training)
        write_results_page(out, (), images)
    print("Weights: " + ", ".join(f"{w:g} {name}" for name, w in zip(systems, chosen.weights, strict=True)))
    told({out: results}, [], [])
    return 3 if results["n_failed"] else 0


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected numbers with commas between them.", param_hint="--weights"
        ) from None
