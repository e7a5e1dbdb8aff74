"""`mammoseg export`: predictions folder -> files that other people open."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def export(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="What to write, such as dicom-seg, or a dotted name; none lists all."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", file_okay=False, help="Folder that `predict` wrote.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Another folder to write to.")] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Table of images: the truth, and files that were moved.")
    ] = None,
    hash_ids: options.HashIds = None,
    make_source: Annotated[
        bool,
        typer.Option("--make-source", help="Of dicom-...: make mammography objects of images that are no DICOM files."),
    ] = False,
    sets: options.Sets = None,
) -> int:
    """Write predictions in another form: figures, a page, a table, DICOM objects.

    Works on the predictions folder alone, and reads the images where its records say they are. An image whose file is
    missing or has changed is listed in errors.csv, and the rest goes on (exit code 3).
    """
    from mammoseg.config import with_overrides
    from mammoseg.data.predictions import Predictions
    from mammoseg.io.outputs import writing_to
    from mammoseg.plugins import EXPORTERS, load, names

    if name is None:
        for known in names(EXPORTERS):
            about = str(load(EXPORTERS, known).__doc__).partition(chr(10))[0]
            print(f"{known.replace('_', '-'):<13} {about}")
        return 0
    plugin = load(EXPORTERS, name if "." in name else name.replace("-", "_"))
    chosen = with_overrides(plugin.Options(), sets=[*(sets or []), *(["make_source=true"] if make_source else [])])
    if predictions is None or out is None:
        missing = "--predictions" if predictions is None else "--out"
        raise typer.BadParameter("is needed with the name of an exporter. Give a folder.", param_hint=missing)
    if out.resolve() == predictions.resolve():
        raise typer.BadParameter("these are the predictions themselves. Give another folder.", param_hint="--out")
    table = options.read_manifest(manifest, hash_ids)
    with writing_to(options.writable(out), "failures"):
        images = Predictions(predictions, table, out)
        plugin.export(images, out, chosen)
    print(f"{name} of {len(images.image_ids)} images, {len(images.failed)} failed: {out}")
    if images.failed:
        print(f"The failed images and why: {out / 'errors.csv'}")
    return 0 if not images.failed else 3 if len(images.failed) < len(images.image_ids) else 1
