"""What a person sees of long work: a bar on a terminal, now and then a line in a log, and how long it will still take."""

import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

logger = logging.getLogger(__name__)

FIRST_LINE = 10.0
"""Seconds until the first line of a log about how far the work is; each later line comes after twice the time."""


class Bar:
    """`with Bar("predict", 40) as bar: bar.advance()`"""

    def __init__(
        self,
        title: str,
        total: int,
        seconds_left: Callable[[], float | None] | None = None,
        lines: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds_left` estimates more than this bar is about; `lines`: whether a log hears of it."""
        self._title, self._total, self._clock = title, total, clock
        self._done, self._started, self._next_line = 0, clock(), FIRST_LINE
        self._seconds_left = seconds_left or self._own_seconds_left
        terminal = sys.stderr.isatty() and logger.isEnabledFor(logging.WARNING)
        self._lines = lines and not terminal
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Left(self._seconds_left))
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not terminal, transient=True)
        self._task = self._progress.add_task(title, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        if self._lines and self._total:
            logger.info("%s: %d to do", self._title, self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, *_: object) -> None:
        self._done += 1
        self._progress.advance(self._task)
        if self._lines and self._clock() - self._started >= self._next_line and self._done < self._total:
            self._next_line *= 2
            logger.info("%s: %d of %d, %s left", self._title, self._done, self._total, about(self._seconds_left()))

    def _own_seconds_left(self) -> float | None:
        if self._done == 0:
            return None
        return (self._clock() - self._started) / self._done * (self._total - self._done)


def about(seconds: float | None) -> str:
    """A time that is an estimate, in words: "about 4 min"."""
    if seconds is None:
        return "unknown time"
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min" if hours < 10 else f"about {round(seconds / 3600)} h"


class _Left(ProgressColumn):
    """The time left, in words."""

    def __init__(self, seconds_left: Callable[[], float | None]) -> None:
        super().__init__()
        self._seconds_left = seconds_left

    def render(self, task: Task) -> Text:
        seconds = self._seconds_left()
        return Text(f"{about(seconds)} left" if seconds else "")
