"""The folder that a command writes to: one command at a time, or several that share it, cleared of what killed ones left, still
there at the end."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mammoseg.io.atomic import remove_leftovers
from mammoseg.io.lock import NoLocksError, is_at, is_shared, lock_file, share_lock

logger = logging.getLogger(__name__)

LOCK = ".lock"
PATIENCE = 10.0
"""Seconds that one who joins waits for those who begin."""


class FolderInUseError(ValueError):
    """Another command is writing to the folder."""


class FolderGoneError(OSError):
    """The folder was removed, moved or replaced while it was written to."""


class Held:
    """A folder that is held."""

    def __init__(self, folder: Path, descriptor: int | None, alone: bool) -> None:
        self.folder, self.alone = folder, alone
        """`alone`: no other block held the folder when this one began."""
        self._descriptor = descriptor

    def check(self) -> None:
        """Raises FolderGoneError once the folder is no longer there."""
        if self._descriptor is not None and not is_at(self._descriptor, self.folder / LOCK):
            raise FolderGoneError(
                0,
                f"{self.folder}: was removed, moved or replaced while this command wrote to it. Expected the same folder until the "
                "end; what was written before is not there any more. Start the same command again",
            )

    def share(self) -> None:
        """From now on others may join."""
        if self._descriptor is not None:
            share_lock(self._descriptor)


@contextmanager
def writing_to(folder: Path, *parts: str, joins: bool = False) -> Iterator[Held]:
    """Hold `folder`, which is made if missing, for this block. Temporary files that killed processes left in it and in its
    `parts` are deleted first.

    `joins`: beside other blocks that share it (`Held.share`). Raises FolderGoneError at the end if the folder is no longer
    there, and FolderInUseError if another block holds the folder, in this process or in another one. Locked is the file
    `.lock`: it goes with the last block, and is no lock any more when its processes were killed.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    descriptor, alone = _lock(folder, lock, joins)
    held = Held(folder, descriptor, alone)
    try:
        for part in ("", *parts):
            remove_leftovers(folder / part)
        try:
            yield held
        except OSError:
            held.check()  # what is behind it
            raise
        held.check()
    finally:
        if descriptor is not None:
            if is_at(descriptor, lock) and not is_shared(descriptor):
                lock.unlink()
            os.close(descriptor)
        if is_new:
            with suppress(OSError):  # what was written
                folder.rmdir()


@contextmanager
def alone_in(folder: Path, patience: float) -> Iterator[Held]:
    """`writing_to`, after waiting for others who write there, `patience` seconds at most. Raises FolderInUseError after that."""
    until = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            try:
                held = stack.enter_context(writing_to(folder))
                break
            except FolderInUseError:
                if time.monotonic() > until:
                    raise
                time.sleep(PATIENCE / 50)
        yield held


def _lock(folder: Path, lock: Path, joins: bool) -> tuple[int | None, bool]:
    """A descriptor and whether it is ours alone; None: there are no locks here."""
    last = time.monotonic() + PATIENCE
    while True:
        with suppress(FileNotFoundError):  # the block before has just removed its file
            try:
                descriptor = lock_file(lock, os.O_CREAT)
                if descriptor is not None:
                    return descriptor, True
                shared = lock_file(lock, os.O_CREAT, shared=True) if joins else None
            except NoLocksError as error:
                logger.warning("%s: there are no locks here (%s): start one command at a time", folder, error.strerror)
                return None, True
            if shared is not None:
                return shared, False
            if not joins or time.monotonic() > last:
                raise FolderInUseError(
                    f"{folder}: another mammoseg command is writing to this folder. Expected one at a time. Wait until it "
                    "has ended, or choose another folder."
                )
            time.sleep(PATIENCE / 100)
