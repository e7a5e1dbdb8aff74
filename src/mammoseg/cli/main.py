"""`mammoseg VERB`: parse, call one function, print. Exit 0 success, 1 failure, 2 wrong usage, 3 some images failed."""

import logging
import re
import signal
import sys

import typer

import mammoseg
from mammoseg.cli import (
    adapt,
    bench,
    check_images,
    demo,
    doctor,
    evaluate,
    import_weights,
    phantom,
    predict,
    prepare,
    scan,
    train,
)
from mammoseg.config import ConfigError
from mammoseg.nn.memory import keep_freed_memory

_SIGINT, _SIGTERM = 128 + signal.SIGINT, 128 + signal.SIGTERM


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
    prepare,
    train,
    import_weights,
    check_images,
    predict,
    evaluate,
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


class _Log(logging.Handler):
    """Writes to what standard error is now: a progress bar puts itself there, and stays below the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def main() -> None:
    """Entry point of the command."""
    lines = "%(asctime)s %(levelname).1s %(message)s"
    logging.basicConfig(format=lines, datefmt="%H:%M:%S", handlers=[_Log()])
    logging.getLogger("mammoseg").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _terminate)
    keep_freed_memory()
    try:
        app()
    except SystemExit as stop:
        # A verb always ends with a code; none means that SIGTERM ended the training loop.
        code = _SIGTERM if stop.code is None else stop.code
        sys.exit(_fail("stopped; the same command continues", code) if code in (_SIGINT, _SIGTERM) else code)
    except ConfigError as error:
        sys.exit(_fail(error, 2))
    except ValueError as error:
        sys.exit(_fail(error, 1))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(_fail(f"{where}{error.strerror or error}", 1))
    except (MemoryError, RuntimeError) as error:
        if (reason := _exhausted(error)) is None:
            raise  # a bug is shown as one
        sys.exit(_fail(reason, 1))


def _exhausted(error: BaseException) -> str | None:
    """What to do where the machine is at its end, which torch tells as a RuntimeError; None for any other error."""
    if isinstance(error, RecursionError):
        return (
            "a file or setting is nested too deeply. Expected a few levels. Look at the files named before this line."
        )
    if isinstance(error, MemoryError) or re.search(r"out of memory|allocate memory|not enough memory", str(error)):
        return (
            "the memory does not suffice. Expected enough for the network and its batches (`mammoseg bench` tells). Take a "
            "smaller batch (--set stages.NAME.batch_size=N), fewer --workers, or a machine with more; finished work is kept."
        )
    return None


def _terminate(_signal: int, _frame: object) -> None:
    sys.exit(_SIGTERM)


def _fail(error: object, code: int | str) -> int | str:
    print(f"mammoseg: {error}", file=sys.stderr)
    return code
