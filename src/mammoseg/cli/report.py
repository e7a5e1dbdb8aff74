"""`mammoseg report`: predictions folder -> pages that people open."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def report(
    predictions: Annotated[Path, typer.Option("--predictions", file_okay=False, help="Folder that `predict` wrote.")],
    out: options.Out,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", "-m", help="Table of images: the truth, and files that were moved.")
    ] = None,
    hash_ids: options.HashIds = None,
) -> int:
    """Write a page for each exam, and one for all of them.

    Each is one HTML file that works offline: OUT/index.html and OUT/exams/EXAM.html. The images are read where their records say
    they are. The same command continues, and makes again only what has changed. An image that cannot be read is a gap with the
    reason in the page, and is listed in errors.csv (exit code 3).
    """
    from mammoseg.data.predictions import Predictions
    from mammoseg.io.outputs import writing_to
    from mammoseg.report.write import write_report
    from mammoseg.wording import counted

    if out.resolve() == predictions.resolve():
        raise typer.BadParameter("these are the predictions themselves. Give another folder.", param_hint="--out")
    table = options.read_manifest(manifest, hash_ids)
    with writing_to(out, "exams", "failures"):
        images = Predictions(predictions, table, out, step="report")
        written = write_report(images, out)
    failed = counted(len(images.failed), "image")
    print(f"{counted(written.exams, 'exam')}, {written.kept} up to date, {failed} failed: {out / 'index.html'}")
    if images.failed:
        print(f"The failed images and why: {out / 'errors.csv'}")
    return 0 if not images.failed else 3 if len(images.failed) < len(images.image_ids) else 1
