"""The command, as a user calls it: in a process of its own, or (much faster) in this one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pytest

if TYPE_CHECKING:
    from mammoseg.data.manifest import Manifest
    from mammoseg.training.config import TrainConfig

COMMAND = Path(sys.executable).with_name("mammoseg")


class Done(NamedTuple):
    """What is left of a command."""

    code: int
    out: str
    err: str
    """Standard error and the log."""

    def says(self, *parts: str) -> None:
        for part in parts:
            assert part in self.out + self.err


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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(phantom_study: "Manifest") -> pd.DataFrame:
    """A manifest to spoil: text, with absolute paths."""
    table = pd.read_csv(phantom_study.path, dtype=str, keep_default_na=False)
    for name in ("path", "benign_mask", "malignant_mask"):
        table[name] = [str(phantom_study.path.parent / value) if value else "" for value in table[name]]
    return table


@pytest.fixture
def train(here: Path, tiny_config: "TrainConfig", command: Callable[..., Done]) -> Callable[..., Done]:
    """`train(table, *options)` into the folder `run`."""
    from mammoseg.config import to_yaml

    one = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    (here / "tiny.yaml").write_text(to_yaml(tiny_config.model_copy(update={"stages": one})))

    def run(table: pd.DataFrame, *options: object) -> Done:
        table.to_csv(here / "manifest.csv", index=False)
        required = ("train", "--recipe", "glam_small", "--config", "tiny.yaml", "--manifest", "manifest.csv")
        return command(*required, "--out", "run", "--device", "cpu", *options)

    return run
