"""The command as a whole: help that fits a screen and comes at once, exit codes, and a message instead of a traceback."""

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from unittest.mock import Mock

import pytest

from mammoseg.cli import main
from mammoseg.config import ConfigError
from mammoseg.io.read import ImageReadError

VERBS = (
    "demo",
    "phantom",
    "adapt",
    "scan",
    "import-annotations",
    "prepare",
    "train",
    "search",
    "study",
    "import-weights",
    "heatmaps",
    "check-images",
    "predict",
    "calibrate",
    "evaluate",
    "reader-study",
    "compare",
    "combine",
    "results-page",
    "sample-size",
    "export",
    "report",
    "serve",
    "figure",
    "bench",
    "doctor",
)
Result = tuple[int, str, str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """The entry point in this process: arguments -> exit code, standard output, standard error."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["mammoseg", *arguments])
        with pytest.raises(SystemExit) as stop:
            main.main()
        written = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, written.out, written.err

    return run


HELP = """
import sys
from mammoseg.cli.main import main
try:
    main()
finally:
    heavy = {"torch", "lightning", "pandas", "numpy", "cv2", "scipy", "sklearn", "matplotlib", "pydicom"}
    sys.exit(f"imported: {heavy & sys.modules.keys()}" if heavy & sys.modules.keys() else None)
"""


@pytest.mark.parametrize("verb", VERBS)
def test_help_comes_at_once_and_fits_a_screen(verb: str) -> None:
    """At once: nothing is imported that takes long, however fast the machine is."""
    for option, columns in (("--help", 80), ("-h", 100)):
        command, environment = [sys.executable, "-c", HELP, verb, option], {**os.environ, "COLUMNS": str(columns)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert len(lines) <= 40
        assert max(map(len, lines)) <= 80
        assert lines[0].startswith(f"Usage: mammoseg {verb} ")


def test_the_list_of_verbs_is_complete_and_no_line_is_cut_off(run: Callable[..., Result]) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert re.findall(r"^  ([\w-]+)  +\w", out.partition("Commands:")[2], re.MULTILINE) == list(VERBS)
    assert "..." not in out.partition("Commands:")[2]
    assert "research use only" in " ".join(out.split())


def test_version(run: Callable[..., Result]) -> None:
    assert run("--version") == (0, f"mammoseg {version('mammoseg')}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prdict"], "No such command 'prdict'"),
        (["phantom", "--exams", "2", "--out", "x", "--sise", "small"], "No such option: --sise"),
        (["phantom", "--out", "x"], "Missing option '--exams'"),
        (["phantom", "--exams", "0", "--out", "x"], "Invalid value for '--exams'"),
        (["train", "--manifest", "m.csv", "--out", "x"], "Missing option '--recipe'"),
        (["evaluate", "--predictions", "p", "--manifest", "m", "--out", "o", "--bootstrap", "-1"], "--bootstrap"),
        (["phantom", "--exams", "2", "--out", "x", "--set", "nois=1"], "there is no field 'nois'; there are: rows"),
        (["phantom", "--exams", "2", "--out", "x", "--set", "noise"], "expected NAME=VALUE"),
        (["phantom", "--exams", "2", "--out", "x", "--set", "noise=loud"], "noise: Input should be a valid number"),
        (["phantom", "--exams", "2", "--out", "x", "--config", "no.yaml"], "no.yaml: the configuration cannot be read"),
        (["train", "--recipe", "glam_smal", "--manifest", "m.csv", "--out", "x"], "Did you mean glam_small?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2(
    run: Callable[..., Result],
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_no_verb_shows_the_help(run: Callable[..., Result]) -> None:
    _, out, err = run()
    assert "Commands:" in out + err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("wrong field"), 2, "mammoseg: wrong field\n"),
        (ImageReadError("x.png: damaged"), 1, "mammoseg: x.png: damaged\n"),
        (FileNotFoundError(2, "No such file", "a/b.csv"), 1, "mammoseg: a/b.csv: No such file\n"),
        (OSError(28, "out: the disk is full"), 1, "mammoseg: out: the disk is full\n"),
        (OSError("odd"), 1, "mammoseg: odd\n"),
        (KeyboardInterrupt(), 130, "mammoseg: stopped; the same command continues\n"),
        (SystemExit(None), 143, "mammoseg: stopped; the same command continues\n"),
        (SystemExit(143), 143, "mammoseg: stopped; the same command continues\n"),
        (SystemExit(0), 0, ""),
        (SystemExit(3), 3, ""),
    ],
    ids=repr,
)
def test_errors_become_a_message_and_a_code(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mammoseg.ingest.synthetic.write_study", fail)
    assert run("phantom", "--exams", "1", "--out", "somewhere") == (code, "", message)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "mammoseg: the memory does not suffice. "),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
            "mammoseg: the memory",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "mammoseg: the memory does not suffice. "),
        (RecursionError("maximum recursion depth exceeded"), "mammoseg: a file or setting is nested too deeply. "),
    ],
    ids=repr,
)
def test_a_machine_at_its_end_is_told_in_one_line(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mammoseg.ingest.synthetic.write_study", fail)
    code, out, err = run("phantom", "--exams", "1", "--out", "somewhere")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(message)


def test_a_bug_is_shown_as_a_bug(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.ingest.synthetic.write_study", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("phantom", "--exams", "1", "--out", "somewhere")
    monkeypatch.setattr("mammoseg.ingest.synthetic.write_study", Mock(side_effect=RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        run("phantom", "--exams", "1", "--out", "somewhere")


def test_sigterm_ends_any_verb_with_a_message(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mammoseg.ingest.synthetic.write_study", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert run("phantom", "--exams", "1", "--out", "x") == (143, "", "mammoseg: stopped; the same command continues\n")


def test_only_mammoseg_talks_in_the_log(run: Callable[..., Result]) -> None:
    run("--version")
    assert logging.getLogger("mammoseg.training.run").isEnabledFor(logging.INFO)
    assert not logging.getLogger("torch").isEnabledFor(logging.INFO)
