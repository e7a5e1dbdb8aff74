"""From the pixel data of a file to containers: the words that hold the stored values, as the file or its stream has them.

Which decoder gets a compressed image is decided by the stream, not by the transfer syntax, which is wrong in some files:

    JPEG baseline, extended with 8 bits   Pillow        JPEG lossless, extended with 12 bits   GDCM
    JPEG-LS                               pyjpegls      JPEG 2000, HTJ2K                       OpenJPEG
    RLE                                   pylibjpeg     native, deflated, big endian           pydicom

What Pillow decodes is looked at before (jpeg.py): Pillow does not tell of damage. All but native pixels are decoded in another
process (decoders.py).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder

from mammoseg.io.dicom.codestream import Codestream, read_codestream
from mammoseg.io.dicom.decoders import decode_apart
from mammoseg.io.dicom.elements import quiet
from mammoseg.io.dicom.errors import DicomReadError, damage
from mammoseg.io.dicom.file import PixelData
from mammoseg.io.dicom.layout import PixelLayout

_PLUGINS = {
    "JPEG baseline": (uid.JPEGBaseline8Bit, "pillow"),
    "JPEG extended": (uid.JPEGBaseline8Bit, "pillow"),
    "JPEG-LS": (uid.JPEGLSLossless, "pyjpegls"),
    "JPEG 2000": (uid.JPEG2000Lossless, "pylibjpeg"),
}
_GDCM = {"JPEG lossless": uid.JPEGLosslessSV1, "JPEG extended": uid.JPEGExtended12Bit}
_LOSSY = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K}
_HIGH_THROUGHPUT = {uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
_NATIVE = {uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian} | {
    uid.DeflatedExplicitVRLittleEndian
}

Words = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Containers:
    """Decoded pixels before anything is made of their bits."""

    words: Words
    """(H, W) or (H, W, 3) uint8 or uint16."""
    bits: int
    """Lowest bits of a container that the stream codes; all of them where it is not compressed."""
    lossy: bool
    """Whether values may have left the range of the stored bits on the way."""
    luma_first: bool
    """Whether the first of three samples is the brightness (YBR) rather than red (RGB)."""
    name: str
    """Of the compression, in words."""


def decode(pixels: PixelData) -> Containers:
    """Raises DicomReadError."""
    with damage("the pixel data cannot be decoded"), quiet():
        if not pixels.encapsulated:
            return _native(pixels)
        frame = get_frame(pixels.data, 0, number_of_frames=1)
        if pixels.syntax == uid.RLELossless:
            return _apart(pixels, frame, pixels.layout.allocated, (uid.RLELossless, "pylibjpeg"), "RLE")
        layout = pixels.layout
        return _stream(pixels, read_codestream(frame, (layout.rows, layout.columns, layout.samples)))


def _native(pixels: PixelData) -> Containers:
    layout, size = pixels.layout, len(pixels.data)
    if pixels.syntax and pixels.syntax not in _NATIVE:
        raise DicomReadError(
            "the pixels are not compressed, but the transfer syntax is one of compressed pixels or unknown. "
            "Expected agreement. Export the image again."
        )
    too_much = size - layout.native_bytes
    if too_much < 0 or too_much >= max(2, layout.columns * layout.samples * layout.allocated // 8):
        raise DicomReadError(
            f"the file has {size} bytes of pixels for {layout.rows} x {layout.columns} with {layout.samples} samples "
            f"of {layout.allocated} bits. Expected {layout.native_bytes}. The file is damaged: copy or export it again."
        )
    syntax = uid.ExplicitVRLittleEndian if pixels.little_endian else uid.ExplicitVRBigEndian
    options = _options(layout, layout.allocated) | {"view_only": True, "pixel_vr": "OW" if pixels.words else "OB"}
    array, properties = get_decoder(syntax).as_array(pixels.data, raw=True, **options)
    return _containers(array, str(properties["photometric_interpretation"]), layout.allocated, False, "not compressed")


def _stream(pixels: PixelData, stream: Codestream) -> Containers:
    layout = pixels.layout
    if not 8 <= stream.bits <= layout.allocated:
        raise DicomReadError(
            f"the {stream.kind} stream has {stream.bits} bits. Expected 8 to {layout.allocated}, as allocated. "
            "The file is damaged: export the image again."
        )
    if layout.signed and not stream.signed and stream.bits < layout.bits:
        raise DicomReadError(
            f"{layout.bits} bits with sign are stored, and the {stream.kind} stream has {stream.bits} without. Expected "
            "the same, since it is not known which bit is the sign. Export the image again."
        )
    lossy = pixels.syntax in _LOSSY or stream.kind in ("JPEG baseline", "JPEG extended")
    if layout.signed and lossy and stream.kind != "JPEG 2000":
        raise DicomReadError(
            f"signed pixels are compressed with losses as {stream.kind}, where the highest value can turn into the "
            "lowest. Expected pixels without sign. Export the image without losses."
        )
    name = stream.kind
    if name in ("JPEG-LS", "JPEG 2000"):
        name = f"{'HTJ2K' if pixels.syntax in _HIGH_THROUGHPUT else name} {'lossy' if lossy else 'lossless'}"
    gdcm = stream.kind == "JPEG lossless" or (stream.kind == "JPEG extended" and stream.bits > 8)
    plugin = (_GDCM[stream.kind], "gdcm") if gdcm else _PLUGINS[stream.kind]
    return _apart(pixels, stream.data, stream.bits, plugin, name, lossy, stream.kind)


def _apart(
    pixels: PixelData,
    frame: bytes,
    bits: int,
    plugin: tuple[uid.UID, str],
    name: str,
    lossy: bool = False,
    kind: str = "RLE",
) -> Containers:
    """Decoded in another process, by a decoder of pydicom or by GDCM."""
    layout, (syntax, decoder) = pixels.layout, plugin
    request = {
        "decoder": decoder,
        "syntax": str(syntax),
        "kind": kind,
        "strict": decoder == "pillow",
        "rows": layout.rows,
        "columns": layout.columns,
        "samples": layout.samples,
        "bits": bits,
        "values": layout.rows * layout.columns * layout.samples,
        "options": _options(layout, 8 if bits <= 8 else 16),
    }
    array, photometric = decode_apart(request, frame)
    return _containers(array, photometric, bits, lossy, name)


def _options(layout: PixelLayout, allocated: int) -> dict[str, Any]:
    """For pydicom, which is to return containers as they are: without sign, and no bit corrected."""
    return {
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "photometric_interpretation": layout.photometric,
        "planar_configuration": layout.planar,
        "bits_allocated": allocated,
        "bits_stored": allocated,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "correct_unused_bits": False,
        "apply_j2k_sign_correction": False,
        "apply_jls_sign_correction": False,
    }


def _containers(array: NDArray[Any], photometric: str, bits: int, lossy: bool, name: str) -> Containers:
    luma_first = photometric.startswith("YBR")
    return Containers(array.astype(array.dtype.newbyteorder("="), copy=False), bits, lossy, luma_first, name)
