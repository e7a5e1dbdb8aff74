"""`mammoseg predict`: checkpoint + images -> predictions folder."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def predict(
    images: Annotated[
        list[Path] | None, typer.Argument(help="Image files named like x_L-CC.png; or give --manifest.")
    ] = None,
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="Run folder of `train`, or a checkpoint folder.")
    ] = ...,  # type: ignore[assignment]
    manifest: Annotated[Path | None, typer.Option("--manifest", "-m", help="Table of images instead of files.")] = None,
    out: options.Out = ...,  # type: ignore[assignment]
    split: Annotated[
        str | None, typer.Option("--split", help="Only these rows of the manifest: train, val, test.")
    ] = None,
    pixel_mm: Annotated[
        float | None, typer.Option("--pixel-mm", min=0.001, max=5, help="Pixel size of IMAGES in mm.")
    ] = None,
    overlays: Annotated[bool, typer.Option("--overlays/--no-overlays", help="One figure per image.")] = True,
    sets: options.Sets = None,
    device: options.Device = "auto",
    workers: options.Workers = 1,
    overwrite: options.Overwrite = False,
) -> int:
    """Score images and show where: maps in original pixels, figures.

    An image that fails is listed in errors.csv and the rest goes on (exit code 3). The same command continues.
    """
    from mammoseg.cli.images import rows_from_files
    from mammoseg.cli.progress import Bar
    from mammoseg.data.manifest import load_manifest
    from mammoseg.export.overlay import overlay_writer
    from mammoseg.inference.batch import predict_images
    from mammoseg.inference.predictor import Predictor

    if bool(images) == (manifest is not None):
        raise typer.BadParameter("give image files or --manifest, one of the two", param_hint="IMAGES")
    if split and manifest is None:
        raise typer.BadParameter("only a manifest has splits; give one with --manifest", param_hint="--split")
    if pixel_mm is not None and manifest is not None:
        raise typer.BadParameter("it is for image files; a manifest has a column pixel_mm", param_hint="--pixel-mm")
    if manifest is not None:
        table = load_manifest(manifest)
        rows = list((table.subset(split) if split else table).rows())
    else:
        rows = rows_from_files(images or [], pixel_mm)
    predictor = Predictor(checkpoint, device, sets or [])
    with Bar("predict", len(rows)) as bar:
        write = overlay_writer(out) if overlays else None
        result = predict_images(predictor, rows, out, workers, overwrite, write, bar.advance)
    print(f"{result.predicted} images predicted, {result.done_before} done before, {result.failed} failed: {out}")
    if result.failed:
        print(f"The failed images and why: {out / 'errors.csv'}")
    return 0 if not result.failed else 3 if result.predicted + result.done_before else 1
