"""`mammoseg figure`: predictions of one model or several -> a figure for a paper."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def figure(
    predictions: Annotated[
        list[Path],
        typer.Option("--predictions", file_okay=False, help="Folder that `predict` wrote. Several: side by side."),
    ],
    image: Annotated[list[str], typer.Option("--image", metavar="ID", help="Image of a row; repeatable.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file: name.pdf, name.svg or name.png.")],
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="What a model is called, in the order of --predictions; else its type."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Table of images: the truth, and files that were moved.")
    ] = None,
    hash_ids: options.HashIds = None,
    width_mm: Annotated[float, typer.Option("--width-mm", min=20, max=2000, help="Width on paper.")] = 170.0,
) -> int:
    """Draw chosen images for a paper: truth, patches, the maps of all models side by side, patches enlarged."""
    from mammoseg.plates import write_plate

    table = options.read_manifest(manifest, hash_ids)
    write_plate(predictions, image, options.writable(out.parent) / out.name, name or [], table, width_mm)
    print(f"Figure: {out}")
    return 0
