"""The verbs: parse, call one function, print. Exit 0 success, 1 failure, 2 wrong usage, 3 some images failed."""

import sys
from typing import Any

import typer

import mammoseg
from mammoseg.cli import (
    adapt,
    bench,
    calibrate,
    check_images,
    combine,
    compare,
    demo,
    doctor,
    evaluate,
    export,
    figure,
    heatmaps,
    import_annotations,
    import_weights,
    phantom,
    predict,
    prepare,
    reader_study,
    report,
    results_page,
    sample_size,
    scan,
    search,
    serve,
    study,
    train,
)
from mammoseg.cli.terminal import log_to_terminal, plain
from mammoseg.processes import keep_freed_memory, share_cores

_UsageProblem: Any = typer.BadParameter.__mro__[2]  # ClickException, for which typer has no name


def _exit(code: int, version: bool) -> None:
    """What a verb returns is the exit code."""
    raise typer.Exit(code)


app = typer.Typer(
    result_callback=_exit,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: half as long, and the same in a log
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Weakly supervised segmentation and classification of mammograms. For research use only.",
    epilog="Exit codes: 0 success, 1 failure, 2 wrong usage, 3 some images failed (their list is named).",
)
for verb in (
    demo,
    phantom,
    adapt,
    scan,
    import_annotations,
    prepare,
    train,
    search,
    study,
    import_weights,
    heatmaps,
    check_images,
    predict,
    calibrate,
    evaluate,
    reader_study,
    compare,
    combine,
    results_page,
    sample_size,
    export,
    report,
    serve,
    figure,
    bench,
    doctor,
):
    name = verb.__name__.rpartition(".")[2]
    function = getattr(verb, name)
    in_the_list = str(function.__doc__).partition("\n")[0]  # the whole line: without this it is cut off
    app.command(name.replace("_", "-"), short_help=in_the_list)(function)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mammoseg {mammoseg.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Weakly supervised segmentation and classification of mammograms. For research use only."""


def run() -> int:
    """Do what the command line says; returns the exit code. What goes wrong is raised, except for wrong usage, which is told."""
    log_to_terminal()
    if sys.argv[1:2] == ["predict"]:
        share_cores()
    keep_freed_memory()
    try:
        return int(app(prog_name="mammoseg", standalone_mode=False))
    except _UsageProblem as problem:
        problem.message = plain(problem.message)
        problem.show()
        return problem.exit_code
