"""`mammoseg compare`: two evaluations of the same images -> which is better, by how much, and how sure."""

from pathlib import Path
from typing import Annotated

import typer

from mammoseg.cli import options


def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A", file_okay=False, help="Folder that `evaluate` wrote to: the reference.")
    ],
    b: Annotated[Path, typer.Argument(metavar="B", file_okay=False, help="The same of the other model.")],
    out: options.Out,
    margin: Annotated[
        float | None, typer.Option("--margin", help="Loss of AUC that would be borne: is B not worse by that?")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="MODULE", help="Metric of your own, of scores, as in `evaluate`; repeatable."),
    ] = None,
    replicates: Annotated[
        int, typer.Option("--bootstrap", min=0, help="Replicates of bootstrap and permutation.")
    ] = 2000,
    seed: options.Seed = 0,
) -> int:
    """Compare two evaluations of the same images; all differences are B less A.

    Writes compare.json, compare.csv, a figure of each metric of the maps (a point for each image), and all of it as one page,
    compare.html. Images that failed in one of them are left out of both. Exit code 3: there are such images.
    """
    from mammoseg.cli.tables import print_table
    from mammoseg.comparison.compare import compare as run
    from mammoseg.comparison.differences import Settings
    from mammoseg.comparison.tables import text_rows
    from mammoseg.io.outputs import writing_to
    from mammoseg.results_page.compared import write_comparison_page
    from mammoseg.wording import counted

    if margin is not None and not margin > 0:
        raise typer.BadParameter("expected a number above 0, e.g. 0.05.", param_hint="--margin")
    for folder in (a, b):
        if out.resolve() == folder.resolve():
            raise typer.BadParameter("this is one of the evaluations. Give another folder.", param_hint="--out")
    with writing_to(out):
        results = run(a, b, out, Settings(replicates, seed, margin), metric or [])
        page = write_comparison_page(out)
    for title, rows in text_rows(results, brief=True).items():
        print(f"{title}:")
        print_table(rows)
        print()
    left_out = len(results["left_out"])
    print(
        f"{counted(results['n_images'], 'image')} of {counted(results['n_patients'], 'patient')} in both, {left_out} left out."
    )
    print(f"All numbers: {out / 'compare.json'}, as a page: {page}")
    return 3 if left_out else 0
