"""Ctrl-C and SIGTERM end a command at any moment, within seconds, with 130 or 143 and without a traceback.

The first signal raises SystemExit in the main thread, so that temporary files and worker processes go; later ones change
nothing. A thread ends the process if that takes long, or if it computes and hears nothing. Whatever is stopped how, finished
work is on the disk: everything is written whole or not at all (io/atomic.py).
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self

MESSAGE = "stopped; the same command continues"
GRACE = 4.0
"""Seconds in which a command may put things in order."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPED = tuple(128 + number for number in _SIGNALS)
"""The exit codes."""
_AGAIN = 0.1  # seconds until a signal that came at a bad moment comes again


class StopSignals:
    """`with StopSignals() as stop:` in the main thread of a program. The handlers stay: from the end of the block on, a signal
    ends the process at once."""

    def __init__(self) -> None:
        self.code = 0
        """128 + the signal that stops the command; 0: none."""
        self._ended = False
        self._hooks = sys.unraisablehook, threading.excepthook

    def __enter__(self) -> Self:
        self._heard, tell = os.pipe()
        os.set_blocking(tell, False)
        self._told = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        self._tell = tell
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        if self.code:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # while the interpreter ends, which takes our handlers away
        sys.unraisablehook, threading.excepthook = self._hooks
        signal.set_wakeup_fd(self._told)
        os.close(self._tell)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._ended:
            _end_now(128 + number)
        if self.code or _starts_a_process(frame):
            return
        self.code = 128 + number
        if _imports(frame):  # an exception there comes out as another one, or ends the process in C++
            _end_now(self.code)
        sys.unraisablehook, threading.excepthook = _say_nothing, _say_nothing  # what is stopped may complain anywhere
        _kill_workers()  # while what they share with this process is still there
        raise SystemExit(self.code)

    def _watch(self) -> None:
        """Hears of a signal also while the main thread computes."""
        with open(self._heard, "rb", buffering=0) as heard:  # noqa: PTH123
            while data := heard.read(1):
                if data[0] in _SIGNALS:
                    self._see_to(data[0])
                    return

    def _see_to(self, number: int) -> None:
        """That the command ends within GRACE, also the interpreter after it."""
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            time.sleep(_AGAIN)
            if not self.code and not self._ended:
                signal.pthread_kill(threading.main_thread().ident or 0, number)
        if not self._ended:
            _end_now(128 + number)
        if not threading.main_thread().is_alive():
            os._exit(128 + number)


def _say_nothing(_: object) -> None:
    pass


def _end_now(code: int) -> None:
    """End the process and its workers as they are."""
    _kill_workers()
    show_cursor = "\x1b[?25h" if os.isatty(2) else ""
    try:
        os.write(2, f"{show_cursor}mammoseg: {MESSAGE}\n".encode())
    finally:
        os._exit(code)


def _kill_workers() -> None:
    if "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            child.kill()


def _starts_a_process(frame: FrameType | None) -> bool:
    """Half started, it would end with a traceback of its own."""
    return any(frame.f_code.co_name == "_launch" for frame in _stack(frame))


def _imports(frame: FrameType | None) -> bool:
    return any(frame.f_code.co_filename.startswith("<frozen importlib") for frame in _stack(frame))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
