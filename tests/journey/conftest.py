"""The command, as a user calls it: in a process of its own, or (much faster) in this one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

COMMAND = Path(sys.executable).with_name("mammoseg")


class Done(NamedTuple):
    """What is left of a command."""

    code: int
    out: str
    err: str
    """Standard error and the log."""


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """`start("train", "--out", ...)`: the installed command, running."""

    def start(*arguments: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        call = [str(COMMAND), *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(call, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True)

    return start


@pytest.fixture(scope="session")
def mammoseg(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Done]:
    """`mammoseg("train", "--out", ...)`: the installed command, until it ends."""

    def run(*arguments: object) -> Done:
        process = start(*arguments)
        out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    return run


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Done]]:
    """The same, in this process. An error that has no message but a traceback fails the test."""
    from mammoseg.cli.main import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Done:
        caplog.clear()
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["mammoseg", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Done(stop.value.code, out, err + caplog.text)

    yield run
    signal.signal(signal.SIGTERM, before)
