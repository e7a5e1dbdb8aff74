"""An output folder has one writer, no remains of killed ones, and is the same folder until the end."""

import errno
import logging
import shutil
from pathlib import Path

import pytest

from mammoseg.io import outputs
from mammoseg.io.lock import NoLocksError, lock_file
from mammoseg.io.outputs import FolderGoneError, FolderInUseError, writing_to

LEFT = ".a.0123abcd.part.npz"


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with writing_to(out):
        (out / "a").touch()
        with pytest.raises(FolderInUseError, match=r"out: another mammoseg command is writing.* Wait"), writing_to(out):
            pass
        with writing_to(tmp_path / "other"):
            pass
    with writing_to(out):
        pass
    assert [path.name for path in out.iterdir()] == ["a"]


def test_a_new_folder_in_which_nothing_was_written_goes_again(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing_to(tmp_path / "out"):
        raise KeyError
    (tmp_path / "old").mkdir()
    with writing_to(tmp_path / "old"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_remains_of_killed_processes_are_removed(tmp_path: Path) -> None:
    for folder in ("", "maps", "other"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / LEFT).touch()
    (tmp_path / outputs.LOCK).touch()  # its process was killed: no lock any more
    with writing_to(tmp_path, "maps", "missing"):
        assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob(".a*")} == {f"other/{LEFT}"}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_is_removed_meanwhile_is_noticed(tmp_path: Path, replaced: bool) -> None:
    out = tmp_path / "out"

    def remove(then: BaseException | None = None) -> None:
        shutil.rmtree(out)
        if replaced:
            out.mkdir()
            (out / outputs.LOCK).touch()
        if then is not None:
            raise then

    def look() -> None:
        with writing_to(out) as held:
            held.check()
            remove()
            held.check()
            raise AssertionError("not noticed")

    with pytest.raises(FolderGoneError, match="out: was removed, moved or replaced"), writing_to(out):
        remove()
    with pytest.raises(FolderGoneError), writing_to(out):
        remove(then=FileNotFoundError("of which this is the reason"))
    with pytest.raises(FolderGoneError):
        look()
    assert (out / outputs.LOCK).exists() == replaced, "the lock of another one stays"


def test_another_error_is_shown_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), writing_to(tmp_path):
        raise OSError(errno.ENOSPC, "full")


def test_without_locks_it_is_said_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(_path: Path, _flags: int, **_: object) -> int:
        raise NoLocksError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(outputs, "lock_file", no_locks)
    with caplog.at_level(logging.WARNING), writing_to(tmp_path) as held:
        held.check()
        held.share()
    assert "there are no locks here (No locks available): start one command at a time" in caplog.text


def test_a_lock_that_ends_at_this_moment_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([FileNotFoundError(), lock_file])

    def sometimes(path: Path, flags: int) -> int | None:
        answer = next(answers)
        if isinstance(answer, FileNotFoundError):
            raise answer
        return answer(path, flags)

    monkeypatch.setattr(outputs, "lock_file", sometimes)
    with writing_to(tmp_path):
        assert (tmp_path / outputs.LOCK).exists()


def test_those_who_join_share_the_folder_once_the_first_lets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "PATIENCE", 0.0)
    with writing_to(tmp_path, joins=True) as first:
        assert first.alone
        with pytest.raises(FolderInUseError), writing_to(tmp_path, joins=True):
            pass
        first.share()
        with writing_to(tmp_path, joins=True) as second:
            assert not second.alone
            with pytest.raises(FolderInUseError), writing_to(tmp_path):
                pass
        assert (tmp_path / outputs.LOCK).exists(), "the first still holds it"
        first.check()
    assert not (tmp_path / outputs.LOCK).exists()
    with writing_to(tmp_path), pytest.raises(FolderInUseError), writing_to(tmp_path, joins=True):
        pass
