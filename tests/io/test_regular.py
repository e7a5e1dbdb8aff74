"""Image files are opened if they are regular and of a size that an image can have; nothing else is read or waited for."""

import os
import socket
from pathlib import Path

import pytest

from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import is_dicom, read_image, read_mask
from mammoseg.io.regular import MAX_BYTES, open_regular


def test_a_regular_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    with open_regular(path) as file:
        assert file.read() == b"content"


def test_links_are_followed_to_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "zero").symlink_to("/dev/zero")
    open_regular(tmp_path / "link").close()
    with pytest.raises(ImageReadError, match=r"zero: .*no regular file"):
        open_regular(tmp_path / "zero")


@pytest.mark.parametrize("read", [open_regular, is_dicom, read_image, read_mask])
def test_special_files(tmp_path: Path, read: object) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
        for path, message in (
            (tmp_path / "pipe", "no regular file"),
            (Path("/dev/zero"), "no regular file"),
            (tmp_path / "socket", "cannot be read"),
            (tmp_path, "Is a directory"),
            (tmp_path / "missing", "No such file"),
            (tmp_path / "\0", "the path cannot be used"),
        ):
            with pytest.raises(ImageReadError, match=message) as error:
                read(path)  # type: ignore[operator]
            assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM\x02\0\0\0UL\x04\0\0\0\0\0"])
def test_a_file_with_holes_is_not_read(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "holes.dcm"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(64 << 30)
    with pytest.raises(ImageReadError, match=r"holes\.dcm: the (file is too large \(68719476736 bytes\)|header)"):
        read_image(path)


def test_beginnings_of_large_files_can_be_read(tmp_path: Path) -> None:
    """Tomosynthesis takes more than an image can have, and is to be known as such."""
    path = tmp_path / "volume"
    with path.open("wb") as file:
        file.write(b"start")
        file.truncate(MAX_BYTES + 1)
    with open_regular(path, None) as file:
        assert file.read(5) == b"start"
    with pytest.raises(ImageReadError, match="too large"):
        open_regular(path)
