"""`mammoseg results-page`: the folder of an evaluation -> its page, made again."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def results_page(
    evaluation: Annotated[
        Path, typer.Argument(metavar="FOLDER", file_okay=False, help="Folder that `evaluate` wrote to.")
    ],
    predictions: Annotated[
        list[Path] | None,
        typer.Option("--predictions", file_okay=False, help="Predictions that were evaluated: pictures; repeatable."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", "-m", help="Table of images: the true lesions, and files that were moved."),
    ] = None,
    hash_ids: options.HashIds = None,
) -> int:
    """Make the page of an evaluation again, report.html, from what lies in its folder.

    `evaluate` writes this page, too; this is for numbers of earlier versions, and for predictions or images that were moved.
    Nothing is computed anew.
    """
    from mammoseg.io.outputs import writing_to
    from mammoseg.results_page.write import write_results_page

    table = options.read_manifest(manifest, hash_ids)
    if not evaluation.is_dir():
        raise typer.BadParameter(
            f"{evaluation} is not a folder. Give the one that evaluate wrote to.", param_hint="FOLDER"
        )
    with writing_to(evaluation):
        print(f"The page: {write_results_page(evaluation, predictions or (), table)}")
    return 0
