"""Processes that decode compressed images: C code that meets the bytes of strangers has limits of time and memory there, and may
die there alone.

A process is kept for the next image; as many run at once as threads ask. They end with this process, which holds their
standard input.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mammoseg.io.dicom.errors import DicomReadError

_SECONDS, _SECONDS_PER_VALUE = 20.0, 1e-6  # with the start of the process


class Decoded(NamedTuple):
    array: NDArray[Any]
    """(rows, columns) or with three samples, uint8 or uint16."""
    photometric: str
    """Of the array, as far as the decoder tells."""


def decode_apart(request: dict[str, Any], data: bytes) -> Decoded:
    """One image, decoded as decoder_process.py reads `request`.

    Raises DicomReadError with the reason: damaged, too slow, too much memory, or the end of the process.
    """
    try:
        process = _idle.pop()
    except IndexError:  # all are at work
        process = _started()
    late = threading.Timer(_SECONDS + _SECONDS_PER_VALUE * request["values"], process.kill)
    late.start()
    try:
        answer, content = _asked(process, request, data)
    except (OSError, ValueError):  # it is no more
        slow = late.finished.is_set()
        process.kill()
        process.communicate()
        what = "takes too long to decode" if slow else "cannot be decoded"
        raise DicomReadError(
            f"the {request['kind']} stream {what}. Expected a whole image. Copy or export the file again."
        ) from None
    finally:
        late.cancel()
    _idle.append(process)
    if "error" in answer:
        raise DicomReadError(answer["error"])
    return Decoded(np.frombuffer(content, answer["dtype"]).reshape(answer["shape"]), answer["photometric"])


_Process = subprocess.Popen[bytes]
_idle: list[_Process] = []


def _started() -> _Process:
    command = [sys.executable, "-P", "-m", "mammoseg.io.dicom.decoder_process"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, start_new_session=True, **pipes)  # type: ignore[call-overload]


def _asked(process: _Process, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytearray]:
    """Raises OSError or ValueError where there is no whole answer."""
    if process.stdin is None or process.stdout is None:
        raise ValueError
    process.stdin.write(json.dumps({**request, "bytes": len(data)}).encode() + b"\n")
    process.stdin.write(data)
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    content = bytearray(answer["bytes"])
    if process.stdout.readinto(content) != len(content):  # type: ignore[attr-defined]
        raise ValueError
    return answer, content


os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's


@atexit.register
def _end() -> None:
    while _idle:
        with _idle.pop() as process:
            process.kill()
