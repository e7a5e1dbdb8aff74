"""Looking at a file in ways that end or hold up the process that does it. Imported by processes of their own."""

import os
import signal
import time
from pathlib import Path, PurePosixPath

from mammoseg.ingest.examine import Seen, Settings, examine


def dies(settings: Settings, place: PurePosixPath) -> Seen:
    if place.name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(settings, place)


def sleeps(settings: Settings, place: PurePosixPath) -> Seen:
    (settings.root / "pids" / str(os.getpid())).touch()
    time.sleep(600)
    return examine(settings, place)


def interrupted(value: int) -> int:
    """Goes on although Ctrl-C has reached the process."""
    os.kill(os.getpid(), signal.SIGINT)
    return value


def waits(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(600)


class InterruptedImages:
    """A data set that is read although Ctrl-C has reached the process that reads it."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: tuple[int, int]) -> int:
        return interrupted(key[0])
