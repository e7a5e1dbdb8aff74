"""Keeps the index and the table of verdicts up to date while the server runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from mammoseg.io.atomic import write_text
from mammoseg.reviewer.index import ExamIndex
from mammoseg.reviewer.pages import ExamPages
from mammoseg.reviewer.store import VerdictStore

logger = logging.getLogger(__name__)

_EVERY = 2.0
"""Seconds between two looks."""


class Follower:
    """What is done again and again."""

    def __init__(self, index: ExamIndex, pages: ExamPages, store: VerdictStore, table: Path) -> None:
        """`table`: the CSV file of all verdicts."""
        self._index, self._pages, self._store, self._table = index, pages, store, table
        self._written: int | None = None
        self._told = ""

    def look(self) -> None:
        """Take in what has changed in the predictions, and write the table if a verdict has come."""
        self._pages.forget(self._index.refresh())
        last = self._store.last_number()
        if last != self._written:
            write_text(self._table, self._store.csv())
            self._written = last

    def look_and_go_on(self) -> None:
        """The same; what goes wrong is told once."""
        try:
            self.look()
            self._told = ""
        except Exception as error:
            if self._told != repr(error):
                self._told = repr(error)
                logger.error("the list or the table of verdicts could not be brought up to date: %s", error)


@contextmanager
def following(follower: Follower) -> Iterator[None]:
    """Look every two seconds in a thread, and once more at the end."""
    stop = Event()

    def follow() -> None:
        follower.look_and_go_on()
        while not stop.wait(_EVERY):
            follower.look_and_go_on()

    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_EVERY)
        follower.look_and_go_on()
