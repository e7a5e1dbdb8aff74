"""Ctrl-C and SIGTERM at any moment: 130 or 143, one line, no traceback, nobody left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mammoseg.cli import stopping
from mammoseg.cli.stopping import MESSAGE, StopSignals

STUCK = """
import hashlib, threading, time
from mammoseg.cli import stopping
stopping.GRACE = 0.5
with stopping.StopSignals():
    print("ready", flush=True)
    {}
"""
COMPUTES = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"  # the main thread hears nothing
SWALLOWS = """
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
"""
IMPORTS = "import mammoseg_slow_module"
HANGS_AT_THE_END = """
    threading.Thread(target=time.sleep, args=(600,)).start()
    time.sleep(600)
"""


def stopped(code: str, number: int, folder: Path, twice: bool = False) -> subprocess.CompletedProcess[str]:
    (folder / "mammoseg_slow_module.py").write_text("print('ready', flush=True)\nimport time\ntime.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", STUCK.format(code)], text=True, env=environment, **pipes) as process:  # type: ignore[call-overload]
        for _ in range(2 if "slow_module" in code else 1):
            assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        if twice:
            process.send_signal(number)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(code, process.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("code", [COMPUTES, SWALLOWS, IMPORTS, HANGS_AT_THE_END])
def test_whatever_the_command_does(code: str, number: int, tmp_path: Path) -> None:
    done = stopped(code, number, tmp_path, twice=True)
    assert done.returncode == 128 + number
    assert done.stderr.count("\n") == done.stderr.count(f"mammoseg: {MESSAGE}\n") <= 1


def raised_in(block: Callable[[], None]) -> int:
    with pytest.raises(SystemExit) as end, StopSignals() as stop:
        block()
    assert end.value.code == stop.code
    return stop.code


def test_the_first_signal_counts() -> None:
    def block() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)  # would be where a second exception comes up

    assert raised_in(block) == 143


def test_a_signal_waits_until_a_process_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def _launch() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(50):
            time.sleep(0.01)
        started.append(True)

    def block() -> None:
        _launch()
        time.sleep(600)

    assert raised_in(block) == 130
    assert started


def test_no_thread_and_no_descriptor_stays() -> None:
    before = threading.active_count(), len([*Path("/dev/fd").iterdir()]), signal.set_wakeup_fd(-1)
    for _ in range(3):
        with StopSignals() as stop:
            assert stop.code == 0
    deadline = time.monotonic() + 60
    while threading.active_count() > before[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (threading.active_count(), len([*Path("/dev/fd").iterdir()]), signal.set_wakeup_fd(-1)) == before


def test_workers_are_ended_with_the_process(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    child.start()
    ends: list[int] = []
    monkeypatch.setattr(os, "_exit", ends.append)
    stopping._end_now(143)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert ends == [143]
    assert capfd.readouterr().err == f"mammoseg: {MESSAGE}\n"
