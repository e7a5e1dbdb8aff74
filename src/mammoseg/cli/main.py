"""`mammoseg VERB`: parse, call one function, print. Exit 0 success, 1 failure, 2 wrong usage, 3 some images failed."""

import logging
import sys

import typer

import mammoseg
from mammoseg.cli import demo, evaluate, phantom, predict, prepare, train
from mammoseg.config import ConfigError


def _exit(code: int, version: bool) -> None:
    """What a verb returns is the exit code."""
    raise typer.Exit(code)


app = typer.Typer(
    result_callback=_exit,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Weakly supervised segmentation and classification of mammograms. For research use only.",
    epilog="Exit codes: 0 success, 1 failure, 2 wrong usage, 3 some images failed (their list is named).",
)
for verb in (demo, phantom, prepare, train, predict, evaluate):
    name = verb.__name__.rpartition(".")[2]
    app.command(name)(getattr(verb, name))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mammoseg {mammoseg.__version__}")
        raise typer.Exit


@app.callback()
def _root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show it.")) -> None:
    """Weakly supervised segmentation and classification of mammograms. For research use only."""


def main() -> None:
    """Entry point of the command."""
    logging.basicConfig(format="%(asctime)s %(levelname).1s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    try:
        app()
    except ConfigError as error:
        sys.exit(_fail(error, 2))
    except (ValueError, OSError) as error:
        sys.exit(_fail(error, 1))


def _fail(error: object, code: int) -> int:
    print(f"mammoseg: {error}", file=sys.stderr)
    return code
