"""What people read on the terminal and in a log: it can neither end a command nor deceive.

Names of files and tensors come from others. Escape sequences in them would move the cursor or hide a line, line breaks would
make lines that nobody has written.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, Any


def plain(text: str) -> str:
    """Every character that cannot be seen as an escape, such as \\x1b; lines after the first are indented, so that none looks
    like a line of the log."""
    first, *others = map(_visible, text.split("\n"))
    return "\n".join([first, *(line if line.startswith("  ") else f"  {line}" for line in others)])


def fail(error: object, code: int) -> int:
    """Tell why the command ends, and return its exit code."""
    print(f"mammoseg: {plain(str(error))}", file=sys.stderr)
    return code


def log_to_terminal() -> None:
    """mammoseg tells what it does, other libraries only warn."""
    log = _Log()
    log.setFormatter(_Lines("%(asctime)s %(levelname).1s %(message)s", "%H:%M:%S"))
    logging.basicConfig(handlers=[log])
    logging.getLogger("mammoseg").setLevel(logging.INFO)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


class _Log(logging.Handler):
    """Writes to what standard error is now: a progress bar puts itself there, and stays below the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


@contextmanager
def patient_streams() -> Iterator[None]:
    """For this block, standard output and error may be closed, full, or a pipe that nobody reads: what is written there is
    lost then, and nothing else happens. What matters is in files. Standard output is plain text, whoever prints."""
    out, err = _Patient(_open(1, sys.stdout), _visible), _Patient(_open(2, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            out.flush()
            err.flush()


class _Patient:
    """A text stream that is silent from the first error on."""

    def __init__(self, stream: IO[str], cleaned: Callable[[str], str] = str) -> None:
        self._stream, self._cleaned = stream, cleaned

    def write(self, text: str) -> int:
        lines = text.split("\n")
        with self._silent_after_an_error():
            self._stream.write("\n".join(map(self._cleaned, lines)))
        return len(text)

    def flush(self) -> None:
        with self._silent_after_an_error():
            self._stream.flush()

    @contextmanager
    def _silent_after_an_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):  # no file behind it
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _open(descriptor: int, stream: IO[str] | None) -> IO[str]:
    """A closed stream (`>&-`) would let the next file that is opened have its number, and messages of libraries with it."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    return stream if stream is not None else open(descriptor, "w", closefd=False)


def _visible(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in line)
