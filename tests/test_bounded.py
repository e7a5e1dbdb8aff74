"""Files that never end, are too large or nested without end are told like any other damage."""

import hashlib
import os
from pathlib import Path

import pytest

from mammoseg.bounded import parse_json, read_bounded, read_json, sha256_of


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"ü": [1, null]}', encoding="utf-8")
    assert read_json(path) == {"ü": [1, None]}
    assert read_bounded(path, path.stat().st_size) == path.read_bytes()
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(ValueError, match="more than 100 bytes"):
        read_bounded(path, 100)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        for read in (read_bounded, sha256_of):
            with pytest.raises(OSError, match=r"no regular file|Is a directory"):
                read(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, b"\xff", b"", "nothing"])
def test_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
