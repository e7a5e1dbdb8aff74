"""JPEG streams through decoders that tell of damage within the compressed data; others fill in what is missing.

Eight bits with losses   simplejpeg (libjpeg-turbo), which raises where others warn.
All else                 GDCM, in a process of its own: it is known to bring down its process on damaged streams, and says
                         what it misses on the standard error output, which is an error here.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from pydicom import uid

from mammoseg.io.dicom.codestream import Codestream, Size
from mammoseg.io.dicom.errors import DicomReadError

_SCRIPT = Path(__file__).with_name("gdcm_process.py")
_SYNTAX = {
    "JPEG lossless": uid.JPEGLosslessSV1,
    "JPEG extended": uid.JPEGExtended12Bit,
}
_COMPLAINTS = (b"Corrupt JPEG data", b"Premature end")


def decode_8bit(data: bytes, samples: int) -> NDArray[np.uint8]:
    """(rows, columns) grey or (rows, columns, 3) blue, green, red of a stream compressed with losses.

    Raises ValueError in the words of the decoder for a damaged stream.
    """
    pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if samples == 1 else "BGR", strict=True)
    return pixels[..., 0] if samples == 1 else pixels


def check_8bit(stream: Codestream) -> None:
    """Raises DicomReadError for a stream that another decoder would read without a word about its damage."""
    try:
        decode_8bit(stream.data, 1)
    except ValueError:
        raise _refused(stream, "is damaged or cut short") from None


def decode_with_gdcm(stream: Codestream, size: Size) -> np.ndarray:
    """(rows, columns) or (rows, columns, samples) uint8 or uint16. Raises DicomReadError."""
    rows, columns, samples = size
    numbers = map(str, (rows, columns, samples, stream.bits))
    command = [sys.executable, "-P", str(_SCRIPT), *numbers, _SYNTAX[stream.kind]]
    limit = 5 + rows * columns * samples / 1e6
    try:
        done = subprocess.run(command, input=stream.data, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise _refused(stream, "takes too long to decode") from None
    if done.returncode and b"No module named" in done.stderr:
        raise DicomReadError("JPEG lossless needs GDCM. Expected the package python-gdcm. Install it.")
    if done.returncode:
        raise _refused(stream, "cannot be decoded")
    if any(complaint in done.stderr for complaint in _COMPLAINTS):
        raise _refused(stream, "is damaged or cut short")
    words = np.frombuffer(done.stdout, np.uint8 if stream.bits <= 8 else np.uint16)
    return words.reshape(size if samples > 1 else size[:2])


def _refused(stream: Codestream, what: str) -> DicomReadError:
    return DicomReadError(f"the {stream.kind} stream {what}. Expected a whole image. Copy or export the file again.")
