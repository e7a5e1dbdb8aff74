"""Locks on files that end with the process that holds them, however it ends (flock of the operating system)."""

import errno
import fcntl
import os
from pathlib import Path

_HELD_BY_ANOTHER = (errno.EACCES, errno.EAGAIN)


class NoLocksError(OSError):
    """The file system knows no locks."""


def lock_file(path: Path, flags: int = 0, mode: int = 0o666, shared: bool = False) -> int | None:
    """Lock a file, which is opened with `flags`, such as os.O_CREAT; a link under its name is not followed. `shared`: with
    others who share it.

    Returns a descriptor: closing it, or the end of the process, gives the lock back. None: another one holds it. Raises
    NoLocksError, FileNotFoundError also if the file was renamed or removed meanwhile, and OSError if it cannot be written to.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, mode)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _HELD_BY_ANOTHER:
            return None
        raise NoLocksError(error.errno, error.strerror, str(path)) from None
    if not is_at(descriptor, path):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "renamed or removed while it was locked", str(path))
    return descriptor


def share_lock(descriptor: int) -> None:
    """Let others share a lock that was ours alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def is_shared(descriptor: int) -> bool:
    """Whether others have the lock, too; else it is ours alone from now on."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def is_at(descriptor: int, path: Path) -> bool:
    """Whether `path` still is the opened file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
