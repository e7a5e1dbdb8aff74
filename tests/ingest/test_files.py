"""Which files are found: each once, sorted, whatever links, hidden names and access rights there are."""

import os
from pathlib import Path, PurePosixPath

import pytest

from mammoseg.ingest.files import find_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_all_files_sorted_and_hidden_ones_told(tmp_path: Path) -> None:
    for name in ("b/2", "b/1.dcm", "a.png", "b/c/d/x y", ".DS_Store", ".git/objects/1", "b/._1.dcm"):
        touch(tmp_path / name)
    files, skipped = find_files(tmp_path)
    assert [str(place) for place in files] == ["a.png", "b/1.dcm", "b/2", "b/c/d/x y"]
    assert {str(s.place) for s in skipped} == {".DS_Store", ".git", "b/._1.dcm"}
    assert {(s.why, s.status) for s in skipped} == {("a hidden file or folder", "no image")}


def test_a_folder_that_is_hidden_itself_is_searched(tmp_path: Path) -> None:
    touch(tmp_path / ".data" / "1")
    assert find_files(tmp_path / ".data")[0] == [PurePosixPath("1")]


def test_links_end_and_nothing_is_found_twice(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(root / "z" / "1")
    touch(tmp_path / "elsewhere" / "2")
    (root / "a").symlink_to(root / "z")
    (root / "b").symlink_to(root / "z" / "1")
    (root / "z" / "loop").symlink_to(root)
    (root / "itself").symlink_to(root / "itself")
    (root / "nowhere").symlink_to(root / "gone")
    (root / "outside").symlink_to(tmp_path / "elsewhere")
    files, skipped = find_files(root)
    assert [str(place) for place in files] == ["outside/2", "z/1"]
    assert {str(s.place): s.why for s in skipped} == {
        "a": "a link to what is searched already",
        "b": "a link to what is searched already",
        "z/loop": "a link to what is searched already",
        "itself": "a link that leads nowhere",
        "nowhere": "a link that leads nowhere",
    }
    assert not any(s.status == "unusable" for s in skipped)


def test_what_is_no_file_and_names_that_no_table_can_hold(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    touch(tmp_path / "line\nbreak.dcm")
    touch(tmp_path / "space.dcm ")
    (tmp_path / os.fsdecode(b"\xff.dcm")).touch()
    files, skipped = find_files(tmp_path)
    assert files == []
    assert [s.status for s in skipped if s.place.name != "pipe"] == ["unusable"] * 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_is_told_as_root_is_not(tmp_path: Path) -> None:
    touch(tmp_path / "closed" / "1").parent.chmod(0)
    [skipped] = find_files(tmp_path)[1]
    assert skipped.status == "unusable"


def test_a_folder_that_cannot_be_listed_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "closed" / "1")
    touch(tmp_path / "open" / "2")
    listed = Path.iterdir

    def iterdir(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    files, [skipped] = find_files(tmp_path)
    assert [str(place) for place in files] == ["open/2"]
    assert (skipped.why, skipped.status) == ("cannot be read (Permission denied)", "unusable")
