"""Which process works on which image: several of them, on several machines, may share a folder.

A claim is a lock on a file below `FOLDER/.claims`: it ends with its process, however that ends. Where the file system knows no
locks (io/lock.py), every claim is granted: one command at a time, then.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from mammoseg.io.lock import NoLocksError, lock_file


class Claims:
    """The claims of this process in a folder; used as a context, they are all given back at its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".claims"
        self._held: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._held):
            self.give_back(name)

    def take(self, names: Iterable[str]) -> bool:
        """Claim all of them. False: another process has one, and none is claimed."""
        taken: list[str] = []
        for name in names:
            descriptor = self._lock(name)
            if descriptor is None:
                for other in taken:
                    self.give_back(other)
                return False
            self._held[name] = descriptor
            taken.append(name)
        return True

    def give_back(self, name: str) -> None:
        """Nothing happens if it is not claimed."""
        if (descriptor := self._held.pop(name, None)) is not None:
            (self.folder / name).unlink(missing_ok=True)
            os.close(descriptor)
            with suppress(OSError):  # there are others
                self.folder.rmdir()

    def clear(self) -> None:
        """Delete what killed processes have left. For who is alone in the folder."""
        for path in self.folder.glob("*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _lock(self, name: str) -> int | None:
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # given back by another, or the folder gone with its last claim
                try:
                    return lock_file(self.folder / name, os.O_CREAT)
                except NoLocksError:
                    return os.open(os.devnull, os.O_RDONLY)
