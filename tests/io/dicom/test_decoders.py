"""Decoders have processes of their own: kept for the next image, limited, and replaced when they die."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.io.dicom import decoders
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.pixels import read_dicom_pixels

GREY = np.arange(40 * 32).reshape(40, 32) % 4096
STREAMS = ("JPEG lossless SV1", "JPEG 2000", "JPEG-LS", "RLE")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No process is left from other tests, nor for them."""
    decoders._end()
    yield
    decoders._end()


def test_one_process_decodes_one_image_after_the_other(make_dicom: Any) -> None:
    for syntax in STREAMS:
        np.testing.assert_array_equal(read_dicom_pixels(make_dicom(GREY, syntax)).pixels, GREY)
    assert len(decoders._idle) == 1


def test_threads_have_a_process_each(make_dicom: Any) -> None:
    """Both are being asked at the same moment."""
    path, barrier, asked = make_dicom(GREY, "JPEG 2000"), threading.Barrier(2, timeout=60), decoders._asked

    def together(*arguments: Any) -> Any:
        barrier.wait()
        return asked(*arguments)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(decoders, "_asked", together)
        both = list(pool.map(lambda _: read_dicom_pixels(path).pixels, range(2)))
    assert all(np.array_equal(pixels, GREY) for pixels in both)
    assert len(decoders._idle) == 2


class Taken(list[Any]):
    """Another thread takes the last one between a look and the taking."""

    def __bool__(self) -> bool:
        return True


def test_two_threads_that_want_the_last_one(make_dicom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Taken()
    with monkeypatch.context() as patch:
        patch.setattr(decoders, "_idle", taken)
        np.testing.assert_array_equal(read_dicom_pixels(make_dicom(GREY, "RLE")).pixels, GREY)
    [process] = taken
    process.kill()
    process.communicate()


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A decoder that does something else."""
    (tmp_path / "python").write_text(f"#!{sys.executable}\nimport os, sys, time\nsys.stdin.buffer.readline()\n{code}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(decoders.sys, "executable", str(tmp_path / "python"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os.abort()", "the JPEG 2000 stream cannot be decoded"),
        ("print('no answer', flush=True)", "cannot be decoded"),
        ("print('{\"bytes\": 9}', flush=True)", "cannot be decoded"),
        ("time.sleep(3600)", "takes too long to decode"),
    ],
)
def test_one_that_dies_or_hangs_costs_its_image(
    make_dicom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    path = make_dicom(GREY, "JPEG 2000")
    with monkeypatch.context() as patch:
        program(tmp_path, patch, code)
        patch.setattr(decoders, "_SECONDS", 1.0 if "sleep" in code else 60.0)
        with pytest.raises(DicomReadError, match=message):
            read_dicom_pixels(path)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


def test_one_that_was_killed_meanwhile_costs_one_image(make_dicom: Any) -> None:
    path = make_dicom(GREY, "RLE")
    read_dicom_pixels(path)
    [process] = decoders._idle
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(DicomReadError, match="the RLE stream cannot be decoded"):
        read_dicom_pixels(path)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, GREY)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits memory so")
def test_memory_is_limited(make_dicom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte, for an image of eight."""
    asked = decoders._asked

    def tight(process: Any, request: dict[str, Any], data: bytes) -> Any:
        return asked(process, {**request, "values": ((1 << 20) - (1 << 30)) // 16}, data)

    large = np.tile(GREY, (50, 50))
    path = make_dicom(large, "JPEG 2000")
    with monkeypatch.context() as patch:
        patch.setattr(decoders, "_asked", tight)
        with pytest.raises(DicomReadError, match=r"cannot be decoded"):
            read_dicom_pixels(path)
    np.testing.assert_array_equal(read_dicom_pixels(path).pixels, large)
