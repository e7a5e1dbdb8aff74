"""JPEG streams through GDCM, the one decoder here that tells of damage within the compressed data.

All others fill in what is damaged without a word to the program. GDCM runs in a process of its own: it is known to bring
down its process on damaged streams, and says what it misses on the standard error output, which is an error here.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from pydicom import uid

from mammoseg.io.dicom.codestream import Codestream, Size
from mammoseg.io.dicom.errors import DicomReadError

_SCRIPT = Path(__file__).with_name("gdcm_process.py")
_SYNTAX = {
    "JPEG lossless": uid.JPEGLosslessSV1,
    "JPEG extended": uid.JPEGExtended12Bit,
    "JPEG baseline": uid.JPEGBaseline8Bit,
}
_COMPLAINTS = (b"Corrupt JPEG data", b"Premature end")


def decode_jpeg(stream: Codestream, size: Size) -> np.ndarray:
    """(rows, columns) or (rows, columns, samples) uint8 or uint16. Raises DicomReadError."""
    done = _run(stream, size, subprocess.PIPE)
    words = np.frombuffer(done.stdout, np.uint8 if stream.bits <= 8 else np.uint16)
    return words.reshape(size if size[2] > 1 else size[:2])


def check_jpeg(stream: Codestream, size: Size) -> None:
    """Raises DicomReadError for a stream that another decoder would read without a word about its damage."""
    _run(stream, size, subprocess.DEVNULL)


def _run(stream: Codestream, size: Size, out: int) -> "subprocess.CompletedProcess[bytes]":
    rows, columns, samples = size
    numbers = map(str, (rows, columns, samples, stream.bits))
    command = [sys.executable, "-P", str(_SCRIPT), *numbers, _SYNTAX[stream.kind]]
    limit = 5 + rows * columns * samples / 1e6
    try:
        done = subprocess.run(
            command, input=stream.data, stdout=out, stderr=subprocess.PIPE, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(stream, "takes too long to decode") from None
    if done.returncode and b"No module named" in done.stderr:
        raise DicomReadError("JPEG needs GDCM. Expected the package python-gdcm. Install it.")
    if done.returncode:
        raise _refused(stream, "cannot be decoded")
    if any(complaint in done.stderr for complaint in _COMPLAINTS):
        raise _refused(stream, "is damaged or cut short")
    return done


def _refused(stream: Codestream, what: str) -> DicomReadError:
    return DicomReadError(f"the {stream.kind} stream {what}. Expected a whole image. Copy or export the file again.")
