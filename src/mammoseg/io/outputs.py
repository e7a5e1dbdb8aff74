"""The folder that a command writes to: one command at a time, cleared of what killed ones left, still there at the end."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mammoseg.io.atomic import remove_leftovers
from mammoseg.io.lock import NoLocksError, is_at, lock_file

logger = logging.getLogger(__name__)

LOCK = ".lock"


class FolderInUseError(ValueError):
    """Another command is writing to the folder."""


class FolderGoneError(OSError):
    """The folder was removed, moved or replaced while it was written to."""


@contextmanager
def writing_to(folder: Path, *parts: str) -> Iterator[Callable[[], None]]:
    """Hold `folder`, which is made if missing, for this block. Temporary files that killed processes left in it and in its
    `parts` are deleted first.

    Yields a function that raises FolderGoneError once the folder is no longer there; that is called at the end, too. Raises
    FolderInUseError if another block holds the folder, in this process or in another one. Locked is the file `.lock`: it
    goes with the block, and is no lock any more when its process was killed.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    descriptor = _lock(folder, lock)

    def check() -> None:
        if descriptor is not None and not is_at(descriptor, lock):
            raise FolderGoneError(
                0,
                f"{folder}: was removed, moved or replaced while this command wrote to it. Expected the same folder until the "
                "end; what was written before is not there any more. Start the same command again",
            )

    try:
        for part in ("", *parts):
            remove_leftovers(folder / part)
        try:
            yield check
        except OSError:
            check()  # what is behind it
            raise
        check()
    finally:
        if descriptor is not None:
            if is_at(descriptor, lock):
                lock.unlink()
            os.close(descriptor)
        if is_new:
            with suppress(OSError):  # what was written
                folder.rmdir()


def _lock(folder: Path, lock: Path) -> int | None:
    """None: there are no locks here."""
    while True:
        with suppress(FileNotFoundError):  # the block before has just removed its file
            try:
                descriptor = lock_file(lock, os.O_CREAT)
            except NoLocksError as error:
                logger.warning("%s: there are no locks here (%s): start one command at a time", folder, error.strerror)
                return None
            if descriptor is None:
                raise FolderInUseError(
                    f"{folder}: another mammoseg command is writing to this folder. Expected one at a time. Wait until it "
                    "has ended, or choose another folder."
                )
            return descriptor
