"""Reading pickle files of others as data: nothing a file names is ever imported or called.

A pickle is a small program, and Python's own unpickler runs it; io/pickle_machine.py only follows it as far as it
describes plain values. The size of the file and the number of steps are limited, so that a small file cannot fill the
memory: a megabyte of empty dicts takes 80 MB, and all steps together less than a gigabyte beside what the file itself holds.
"""

import io
import struct
import warnings
from pathlib import Path

from mammoseg.io.pickle_machine import MAX_STEPS, ForeignError, Machine, TooLargeError

MAX_BYTES = 512 * 2**20
"""Largest file read. An exam takes about 600 bytes, so this is far above any exam list."""


class PickleReadError(ValueError):
    """A pickle file that is not read; the message names the file and says what to do."""


def load_plain(path: Path) -> object:
    """The value in a pickle file: dict, list, tuple, set, str, bytes, int, float, bool and None; nothing is executed.

    numpy's numbers become plain ones, texts of Python 2 are read as latin1. Keys of dicts and members of sets are texts,
    bytes, numbers or None; whole numbers have at most 64 bits. A list or dict may contain itself.

    Raises PickleReadError for every other content (naming it), and for a file that is missing, empty, damaged, cut
    short, no pickle, or larger than `MAX_BYTES` or `MAX_STEPS`.
    """
    data = _read(path)
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of odd escapes in texts of protocol 0
            return Machine().run(stream)
    except ForeignError as error:
        raise PickleReadError(
            f"{path}: this pickle holds {error}. Expected lists, dicts, texts and numbers only; nothing was executed. "
            "Do not open it with other software before you know who made it; ask for a file of plain values."
        ) from None
    except (TooLargeError, MemoryError):
        raise PickleReadError(
            f"{path}: this pickle takes too much memory (byte {stream.tell()} of {len(data)}). Expected at most "
            f"{MAX_STEPS} steps. Split the list into several files; if it is a small list, the file is not to be trusted."
        ) from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error):  # texts may quote patient data
        raise PickleReadError(
            f"{path}: this file is damaged, cut short, or no pickle (near byte {stream.tell()} of {len(data)}). "
            "Expected a complete pickle of protocol 0 to 5. Copy or export it again."
        ) from None


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PickleReadError(f"{path}: this is no file. Expected a pickle file. Check the path.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PickleReadError(
            f"{path}: the file cannot be read ({error.strerror}). Expected a pickle file. "
            "Check the path and the access rights."
        ) from None
    if not data:
        raise PickleReadError(f"{path}: the file is empty (0 bytes). Expected a pickle. Copy or export it again.")
    if len(data) > MAX_BYTES:
        raise PickleReadError(
            f"{path}: the file has more than {MAX_BYTES} bytes. Expected an exam list or another small pickle. "
            "Split the list into several files."
        )
    return data
