"""Commands with worker processes that are killed or stopped: nobody is left, and nothing but the message is on the terminal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.config import to_yaml
from mammoseg.data.manifest import Manifest
from mammoseg.training.config import TrainConfig

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

Start = Callable[..., subprocess.Popen[str]]


def running(session: int) -> list[str]:
    """The command lines of the processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(of) == session and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has just ended
    return found


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def busy(
    here: Path, start: Start, phantom_study: Manifest, tiny_config: TrainConfig, trained_run: Path
) -> Callable[[str], subprocess.Popen[str]]:
    """`busy("train")`: the command, once two workers of it have been started."""
    (here / "tiny.yaml").write_text(to_yaml(tiny_config))
    settings: dict[str, tuple[Any, ...]] = {
        "phantom": ("--exams", 500, "--size", "full"),
        "prepare": ("--recipe", "glam_small", "--config", "tiny.yaml", "--manifest", phantom_study.path),
        "train": ("--recipe", "glam_small", "--config", "tiny.yaml", "--manifest", phantom_study.path),
    }

    def busy(verb: str) -> subprocess.Popen[str]:
        cached = ("--cache", trained_run / "cache") if verb == "train" else ()
        process = start(verb, *settings[verb], *cached, "--out", "out", "--workers", 2)
        workers, others = ("forkserver", 1) if verb == "train" else ("spawn_main", 0)

        def has_workers() -> bool:
            assert process.poll() is None, process.communicate()
            return sum(workers in line for line in running(process.pid)) >= 2 + others

        wait_until(has_workers, f"{verb} starts no workers")
        return process

    return busy


@pytest.mark.parametrize("verb", ["phantom", "prepare", "train"])
def test_workers_of_a_killed_command_end(busy: Callable[[str], subprocess.Popen[str]], verb: str) -> None:
    process = busy(verb)
    process.kill()
    wait_until(lambda: not running(process.pid), "workers are left")
    process.communicate()


@pytest.mark.parametrize("verb", ["phantom", "train"])
def test_ctrl_c_twice_while_workers_start(busy: Callable[[str], subprocess.Popen[str]], verb: str) -> None:
    process = busy(verb)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "mammoseg: stopped; the same command continues"
    assert "Traceback" not in err
    wait_until(lambda: not running(process.pid), "workers are left")
