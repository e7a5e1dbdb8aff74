"""What programs set for themselves; and worker processes: new ones, no forks of a process that has threads, which end with
their parent and leave Ctrl-C to it.

A worker whose parent is gone ends at once, whatever it does: what it writes is written whole or not at all (io/atomic.py).
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess, SpawnContext, SpawnProcess
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def share_cores() -> None:
    """Let threads that wait sleep instead of computing, which costs other programs their time. To be called before torch is
    loaded; what the user has set stays. For programs: worker processes inherit it.

    Two predictions at once take 4.3 s instead of 7.4 s on two cores, one alone takes as long as before (24 phantoms). Not for
    training: its many short steps take 1.3 to 1.5 times as long with threads that sleep in between.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} & os.environ.keys():
        os.environ["OMP_WAIT_POLICY"] = "passive"


def keep_freed_memory() -> None:
    """Let the process keep memory that it has freed, to use it again. For programs, not for libraries: it is for good.

    By default the C library of Linux gives every large block back to the system and asks for it anew, page by page, in each
    layer. With torch 2.13 and 2 threads of an AMD EPYC, a window of 2944 x 1920 is 1.06 (GLAM) and 1.19 times (GMIC) as fast
    forward, 1.03 to 1.06 times backward, at up to 0.3 GiB more. Before glibc 2.35 it works for blocks up to 32 MiB.
    Elsewhere nothing happens.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library than glibc
            mallopt = ctypes.CDLL(None).mallopt
            # Alone, the second setting would freeze the first at its small start value.
            if mallopt(_MMAP_THRESHOLD, 2**30) or mallopt(_MMAP_THRESHOLD, 2**25):
                mallopt(_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `workers` processes. If the block ends with an exception, they are killed and what they do is not waited for."""
    context = Workers()
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        yield pool
    except BaseException:
        context.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class Workers(SpawnContext):
    """For what takes a multiprocessing context: processes that start anew, and import what they need."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[_SpawnedWorker] = []

    def Process(self, *args: Any, **kwargs: Any) -> "_SpawnedWorker":  # type: ignore[override]
        self._started.append(_SpawnedWorker(*args, **kwargs))
        return self._started[-1]

    def kill(self) -> None:
        for process in self._started:
            if process.is_alive():
                process.kill()


class WarmWorkers(ForkServerContext):
    """The same for processes that come and go: forked from one that has imported the modules and has no threads."""

    def __init__(self, *modules: str) -> None:
        super().__init__()
        self.set_forkserver_preload(list(modules))


class _SpawnedWorker(SpawnProcess):
    def start(self) -> None:
        _shielded(super().start)

    def run(self) -> None:
        _begin()
        super().run()


class _ForkedWorker(ForkServerProcess):
    def start(self) -> None:
        _shielded(super().start)

    def run(self) -> None:
        _begin()
        super().run()


WarmWorkers.Process = _ForkedWorker


def _shielded(start: Callable[[], None]) -> None:
    """A new process inherits which signals are held back. Ctrl-C reaches all of them, and would end one that is importing
    in a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """In the new process."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # there are as many processes as cores
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
