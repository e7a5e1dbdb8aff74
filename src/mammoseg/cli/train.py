"""`mammoseg train`: manifest + recipe -> run folder with a checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def train(
    recipe: Annotated[
        str, typer.Option("--recipe", help="Name of the recipe, e.g. glam_small, glam_film, glam_paper.")
    ],
    manifest: options.Manifest,
    out: options.Out,
    config: options.ConfigFile = None,
    sets: options.Sets = None,
    init: Annotated[
        Path | None,
        typer.Option("--init", help="Run or checkpoint folder to start from. More: --set init.parts, init.train."),
    ] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Prepared images, as `prepare` wrote them.")] = None,
    pixel_mm: options.PixelMm = None,
    device: options.Device = "auto",
    workers: options.Workers = 0,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Same as --set seed=N.")] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", min=2, help="Cross-validate by patient: a run for each, out-of-fold predictions of all images."
        ),
    ] = None,
    overwrite: options.Overwrite = False,
) -> int:
    """Train on image-level labels. The same command continues a stopped run.

    On N GPUs or machines: `torchrun --nproc-per-node N --no-python mammoseg train ...`.

    Splits come from the manifest's split column; without one, or without val in it, they are drawn by patient; with --folds
    they are drawn anew, without the images of split test. Masks only help to choose the best epoch, unless the model learns
    from them.
    """
    from mammoseg.config import with_overrides
    from mammoseg.data.manifest import load_manifest
    from mammoseg.nn.device import device_from
    from mammoseg.training.distributed import is_first
    from mammoseg.training.init import InitConfig
    from mammoseg.training.recipes import load_recipe
    from mammoseg.training.run import train as run

    seeds = [] if seed is None else [f"seed={seed}"]
    base = load_recipe(recipe)
    if init is not None:
        base = base.model_copy(update={"init": InitConfig(checkpoint=str(init))})
    settings = with_overrides(base, config, [*(sets or []), *seeds])
    images, processor = load_manifest(manifest).with_pixel_mm(pixel_mm), device_from(device)
    if folds is not None:
        from mammoseg.crossval import cross_validate

        found = cross_validate(settings, images, out, processor, folds, workers, overwrite, cache)
        print(f"Predictions, each out of its fold: {found.predictions}")
        print(f"Next: mammoseg evaluate --predictions {found.predictions} --manifest {found.manifest} --out METRICS")
        return 3 if found.failed else 0
    result = run(settings, images, out, processor, workers, overwrite, cache)
    if is_first():
        print(f"Checkpoint: {result.checkpoint}")
    if is_first() and result.failed:
        print(f"{result.failed} images could not be prepared: {out / 'errors.csv'}")
    return 3 if result.failed else 0
