"""Settings of the whole process that several threads want at once: the first to come sets them, the last to leave sets them
back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock


class Shared:
    """One such setting."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._set: AbstractContextManager[None] | None = None

    @contextmanager
    def mode(self, setting: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """`setting` holds from the first entry of this block, in whatever thread, to the last exit."""
        with self._lock:
            if self._users == 0:
                self._set = setting()
                self._set.__enter__()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0 and self._set is not None:
                    self._set.__exit__(None, None, None)
