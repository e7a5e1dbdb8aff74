"""`mammoseg VERB`, from its first moment to its exit code. What takes time to import is imported once signals are heard."""

import re
import sys

from mammoseg.cli.stopping import MESSAGE, STOPPED, StopSignals
from mammoseg.cli.terminal import fail, patient_streams

_QUIET_TRACKER = "ignore:resource_tracker:UserWarning"
"""For the processes that this one starts: what a command leaves that is ended hard, Python tidies up without a word."""


def main() -> None:
    """Entry point of the command."""
    sys.warnoptions.append(_QUIET_TRACKER)
    with patient_streams(), StopSignals() as stop:
        code = _run(stop)
    sys.exit(code)


def _run(stop: StopSignals) -> int:
    try:
        from mammoseg.cli.app import run

        code = run()
    except BaseException as error:
        code = stop.code or _told(error)
    return fail(MESSAGE, stop.code or code) if (stop.code or code) in STOPPED else code


def _told(error: BaseException) -> int:
    """The exit code of what ended a command, and a line that says why; a bug is raised again."""
    from mammoseg.config import ConfigError
    from mammoseg.plugins import PluginError

    if isinstance(error, SystemExit) and not isinstance(error.code, str):
        return (
            STOPPED[1] if error.code is None else error.code
        )  # a verb ends with a code, the training loop on SIGTERM without
    if isinstance(error, ConfigError | PluginError):
        return fail(error, 2)
    if isinstance(error, ValueError):
        return fail(error, 1)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return fail(f"{where}{error.strerror or error}", 1)
    if (reason := _exhausted(error)) is not None:
        return fail(reason, 1)
    raise error


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
