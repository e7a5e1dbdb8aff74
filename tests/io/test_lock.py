"""A lock is held by one process, ends with it, and is not given for a file that has another name by then."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mammoseg.io.lock import NoLocksError, is_at, lock_file

HOLDER = """
import sys, time
from pathlib import Path
from mammoseg.io.lock import lock_file
lock_file(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


def test_one_holds_it(path: Path) -> None:
    first = lock_file(path)
    assert first is not None
    assert lock_file(path) is None
    os.close(first)
    second = lock_file(path)
    assert second is not None
    os.close(second)


def test_it_ends_with_a_killed_process(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert lock_file(path) is None
        holder.kill()
    descriptor = lock_file(path)
    assert descriptor is not None
    os.close(descriptor)


def test_a_file_is_made_only_where_that_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock_file(tmp_path / "new")
    descriptor = lock_file(tmp_path / "new", os.O_CREAT, 0o600)
    assert descriptor is not None
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    os.close(descriptor)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        lock_file(tmp_path / "link", os.O_CREAT)


def test_a_file_that_is_replaced_while_it_is_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        original(descriptor, operation)
        path.unlink()
        path.touch()

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(FileNotFoundError, match="removed while"):
        lock_file(path)


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(NoLocksError):
        lock_file(path)


def test_where_an_open_file_is(path: Path, tmp_path: Path) -> None:
    descriptor = lock_file(path)
    assert descriptor is not None
    assert is_at(descriptor, path)
    path.rename(tmp_path / "other")
    assert not is_at(descriptor, path)
    assert is_at(descriptor, tmp_path / "other")
    path.touch()
    assert not is_at(descriptor, path)
    os.close(descriptor)
