"""Files are replaced whole or not at all."""

import errno
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mammoseg.io.atomic import atomic_path, remove_leftovers, write_bytes, write_json, write_text

KILLED = """
import os, signal, sys
from pathlib import Path
from mammoseg.io.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replaces_the_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.csv"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.csv"]


def test_keeps_the_old_file_on_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_text_has_unix_line_ends_and_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ä\nb")
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb".encode()


def test_json_without_nan(tmp_path: Path) -> None:
    value = {"a": float("nan"), "b": [1, np.float32(0.5), np.int64(3), np.array([1.0, np.inf])], "c": (None, "ä", True)}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": None, "b": [1, 0.5, 3, [1.0, None]], "c": [None, "ä", True]}
    assert text.startswith('{\n  "a": null')


def test_json_refuses_what_has_no_form(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": Path("b")})
    assert names(tmp_path) == []


def test_bytes(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"\0\r\n")
    assert (tmp_path / "a").read_bytes() == b"\0\r\n"


def test_access_rights(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a", mode=0o600) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o600
        temporary.write_text("secret")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("locks", [True, False])
def test_a_planted_link_or_file_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool) -> None:
    tokens = iter(["00000000", "11111111", "22222222"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(tokens))
    if not locks:

        def flock(_descriptor: int, _operation: int) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", flock)
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".a.00000000.part.txt").symlink_to(outside)
    (folder / ".a.11111111.part.txt").write_text("mine")
    write_text(folder / "a.txt", "new")
    assert (folder / "a.txt").read_text() == "new"
    assert not (folder / "a.txt").is_symlink()
    assert outside.read_text() == (folder / ".a.11111111.part.txt").read_text() == "mine"


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.npz", "b"):
        done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False)
        assert done.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2
    others = [".a.0123abcd.npz", ".a.part.npz", "a.0123abcd.part.npz", ".a.0123abcd.part.d.npz"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / ".link.0123abcd.part.npz").symlink_to(tmp_path / others[0])
    (tmp_path / ".folder.0123abcd.part").mkdir()
    os.mkfifo(tmp_path / ".pipe.0123abcd.part")
    with atomic_path(tmp_path / "living.txt") as temporary:
        temporary.write_text("whole")
        remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "missing")
    assert names(tmp_path) == sorted([*others, ".link.0123abcd.part.npz", ".folder.0123abcd.part", "living.txt"])
    assert (tmp_path / "living.txt").read_text() == "whole"


def test_a_new_file_taken_for_a_leftover_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, taken = fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        if not taken:
            taken.extend(tmp_path.glob(".a*"))
            taken[0].unlink()
        original(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    write_text(tmp_path / "a.txt", "new")
    assert taken
    assert names(tmp_path) == ["a.txt"]
