"""What a process of decoders.py does: decode one compressed image after the other, until there is nothing more to read.

Requests and answers are a line of JSON, and bytes as many as it says. What decoders write to the standard outputs is kept
apart: GDCM tells of damage in no other way.
"""

import json
import os
import resource
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder

from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.jpeg import decode_8bit

_COMPLAINTS = (b"Corrupt JPEG data", b"Premature end")
_SLACK = 1 << 30  # bytes of memory above what a decoder takes for each value of an image
_PER_VALUE = 16


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    with tempfile.TemporaryFile() as told:
        for number in (1, 2):
            os.dup2(told.fileno(), number)
        while line := sys.stdin.buffer.readline():
            request = json.loads(line)
            data = sys.stdin.buffer.read(request["bytes"])
            told.seek(0)
            told.truncate()
            try:
                with damage("the pixel data cannot be decoded"):
                    _limit_memory(request["values"])
                    array, photometric = _decoded(request, data, told)
                answer: dict[str, Any] = {"dtype": array.dtype.str, "shape": array.shape, "photometric": photometric}
                content = np.ascontiguousarray(array).data.cast("B")
            except DicomReadError as error:
                answer, content = {"error": str(error)}, memoryview(b"")
            answers.write(json.dumps({**answer, "bytes": len(content)}).encode() + b"\n")
            answers.write(content)
            answers.flush()


def _limit_memory(values: int) -> None:
    """For what comes next; a decoder that needs more raises an error or ends the process, and nothing else."""
    with suppress(OSError):  # only Linux says how much it is now
        now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + _SLACK + _PER_VALUE * values, resource.RLIM_INFINITY))


def _decoded(request: dict[str, Any], data: bytes, told: BinaryIO) -> tuple[NDArray[Any], str]:
    """(rows, columns) or with three samples, and the photometric interpretation, where the decoder says it."""
    if request["decoder"] == "gdcm":
        return _with_gdcm(request, data, told), ""
    if request["strict"]:  # Pillow, which decodes it, does not tell of damage
        try:
            decode_8bit(data, 1)
        except ValueError:
            raise DicomReadError(_refused(request, "is damaged or cut short")) from None
    options = {**request["options"], "decoding_plugin": request["decoder"]}
    array, properties = get_decoder(uid.UID(request["syntax"])).as_array(
        encapsulate([data]), index=0, raw=True, **options
    )
    return array, str(properties.get("photometric_interpretation", ""))


def _with_gdcm(request: dict[str, Any], data: bytes, told: BinaryIO) -> NDArray[Any]:
    try:
        import gdcm  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise DicomReadError("JPEG lossless needs GDCM. Expected the package python-gdcm. Install it.") from None
    rows, columns, samples, bits = (request[name] for name in ("rows", "columns", "samples", "bits"))
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation
    image.SetPhotometricInterpretation(photometric(photometric.RGB if samples == 3 else photometric.MONOCHROME2))
    image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(request["syntax"])))
    allocated = 8 if bits <= 8 else 12 if bits <= 12 else 16  # the decoder that fits the stream, not the container
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, bits, bits - 1, 0))
    pixels = image.GetBuffer()
    told.seek(0)
    if any(complaint in told.read() for complaint in _COMPLAINTS):
        raise DicomReadError(_refused(request, "is damaged or cut short"))
    words = np.frombuffer((pixels or "").encode("utf-8", "surrogateescape"), np.uint8 if bits <= 8 else np.uint16)
    if words.size != rows * columns * samples:
        raise DicomReadError(_refused(request, "cannot be decoded"))
    return words.reshape((rows, columns, samples) if samples > 1 else (rows, columns))


def _refused(request: dict[str, Any], what: str) -> str:
    return f"the {request['kind']} stream {what}. Expected a whole image. Copy or export the file again."


if __name__ == "__main__":
    main()
