"""`mammoseg heatmaps`: a patch classifier and a manifest -> heatmaps that other models see."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def heatmaps(
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="Run or checkpoint of a patch classifier.")],
    manifest: options.Manifest,
    out: options.Out,
    device: options.Device = "auto",
    pixel_mm: options.PixelMm = None,
) -> int:
    """Walk over every image with a patch classifier.

    Writes a heatmap of every class for each image, and a manifest with both for models that see them beside the mammogram.
    Continues what was stopped; images that fail are listed (exit code 3).
    """
    from mammoseg.data.manifest import load_manifest
    from mammoseg.inference.engines.pytorch import open_engine
    from mammoseg.inference.heatmaps import write_heatmaps
    from mammoseg.io.outputs import writing_to
    from mammoseg.progress import Bar

    images = load_manifest(manifest).with_pixel_mm(pixel_mm)
    engine = open_engine(checkpoint, device)
    with writing_to(out, "failures", "walks"), Bar("heatmaps", len(images.table)) as bar:
        made = write_heatmaps(engine, images, out, bar.advance)
    print(f"{made.made} images made, {made.done_before} done before, {made.failed} failed: {made.manifest}")
    if made.failed:
        print(f"What failed: {out / 'errors.csv'}")
    return (3 if made.made + made.done_before else 1) if made.failed else 0
