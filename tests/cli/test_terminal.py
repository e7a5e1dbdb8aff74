"""What is printed neither ends a command nor deceives."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mammoseg.cli import terminal
from mammoseg.cli.terminal import fail, log_to_terminal, patient_streams, plain

FORGED = "a\x1b[2K\rb\n12:00:00 I all is well\u202e\x9b\u2028c\udcff"
SHOWN = r"a\x1b[2K\rb" + "\n" + r"  12:00:00 I all is well\u202e\x9b\u2028c\udcff"
COMMAND = "from mammoseg.cli.main import main; main()"


def test_only_what_can_be_seen() -> None:
    assert plain(FORGED) == SHOWN
    assert plain("Müller\t日本 – ½\n  indented\n") == "Müller\t日本 – ½\n  indented\n  "


def test_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(ValueError(FORGED), 3) == 3
    assert capsys.readouterr() == ("", f"mammoseg: {SHOWN}\n")


def test_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to what standard error is now: a progress bar puts itself there."""
    root = logging.Logger("root")
    monkeypatch.setattr(logging, "root", root)
    log_to_terminal()
    now = io.StringIO()
    monkeypatch.setattr(sys, "stderr", now)
    root.warning("%d of %s", 1, FORGED)
    assert now.getvalue()[8:] == f" W 1 of {SHOWN}\n"


def test_standard_output_is_plain_whoever_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with patient_streams():
        print("a\x1b[31m\nb")  # noqa: T201
        print("\x1b[31mbar", file=sys.stderr)  # noqa: T201
        assert not sys.stderr.isatty()
    print("\x1b")  # noqa: T201
    assert capsys.readouterr() == ("a\\x1b[31m\nb\n\x1b\n", "\x1b[31mbar\n")


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_cannot_be_written_to_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    with patient_streams():
        assert sys.stdout.write("lost\n") == 5
        print("lost, too")  # noqa: T201


def output_closed(descriptor: int) -> Callable[[], None]:
    return lambda: os.close(descriptor)


@pytest.mark.parametrize("arguments", [["--version"], ["phantom", "--exams", "1", "--out", "file/below"]])
@pytest.mark.parametrize("descriptor", [1, 2])
@pytest.mark.parametrize("how", ["full", "closed", "broken pipe"])
def test_a_command_ends_as_ever(tmp_path: Path, arguments: list[str], descriptor: int, how: str) -> None:
    (tmp_path / "file").touch()
    reader, writer = os.pipe()
    os.close(reader)
    name = ("stdout", "stderr")[descriptor - 1]
    with Path("/dev/full" if Path("/dev/full").exists() else os.devnull).open("w") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, name: full if how == "full" else writer}
        close = output_closed(descriptor) if how == "closed" else None
        command = [sys.executable, "-c", COMMAND, *arguments]
        done = subprocess.run(command, **streams, cwd=tmp_path, preexec_fn=close, text=True, check=False)
    os.close(writer)
    assert done.returncode == (0 if arguments == ["--version"] else 2)
    other = done.stdout if descriptor == 2 else done.stderr
    expected = descriptor == (2 if arguments == ["--version"] else 1)
    assert bool(other) == expected
    assert "Traceback" not in other
    assert "Exception ignored" not in other


def test_descriptors_that_are_closed_are_taken_before_a_file_gets_them(tmp_path: Path) -> None:
    code = f"""
import os
os.close(2)
from mammoseg.cli.terminal import patient_streams
with patient_streams():
    file = open({str(tmp_path / "result")!r}, "w")
    os.write(2, b"a message of a library")
    print(file.fileno())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 2
    assert (tmp_path / "result").read_text() == ""


def test_usage_errors_show_names_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from mammoseg.cli.main import main

    (tmp_path / FORGED.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("/", "")).touch()
    [odd] = tmp_path.iterdir()
    monkeypatch.setattr(sys, "argv", ["mammoseg", "phantom", "--exams", "1", "--out", str(odd / "below")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "Invalid value for '--out'" in error
    assert r"a\x1b[2K\rb" in error
    assert "\n12:00:00" not in error
    assert terminal.plain(error.replace("\n", "")) == error.replace("\n", "")
