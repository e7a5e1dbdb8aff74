"""Thumbnails show the breast, whatever the range of values and whatever is brighter than it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.ingest.thumbnail import thumbnail, write_thumbnails


def decoded(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


@pytest.mark.parametrize("scale", [1, 16, 256])
def test_small_and_bright_whatever_the_range(scale: int) -> None:
    pixels = np.zeros((3000, 2400), np.uint16)
    pixels[500:2500, :1500] = 200 * scale
    pixels[100:200, 2300:2380] = 255 * scale
    data = thumbnail(pixels)
    small = decoded(data)
    assert small.shape == (192, 154)
    assert small[96, 40] > 180
    assert small[96, 140] < 10
    assert len(data) < 10_000


@pytest.mark.parametrize("shape", [(10, 10), (1, 500), (5000, 3)])
def test_any_shape(shape: tuple[int, int]) -> None:
    for value in (0, 7):
        assert max(decoded(thumbnail(np.full(shape, value, np.uint8))).shape) <= 192


def test_one_per_row_that_has_one(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_thumbnails(folder, {2: b"a", 4: b"c"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"00002.jpg": b"a", "00004.jpg": b"c"}


def test_those_of_an_earlier_scan_go_and_files_of_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_thumbnails(folder, {2: b"a", 3: b"b"})
    (folder / "mine.jpg").write_bytes(b"mine")
    (tmp_path / ".pictures.part").mkdir()
    (tmp_path / ".pictures.part" / "00009.jpg").write_bytes(b"left by a scan that was killed")
    write_thumbnails(folder, {2: b"c"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"00002.jpg": b"c", "mine.jpg": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
