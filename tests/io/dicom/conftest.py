"""DICOM images made for tests, in every transfer syntax. The JPEG encoders are written from the standard, so that
decoded pixels are compared with something that no decoder here had a hand in."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pytest
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from rle.utils import encode_pixel_data

Pixels = NDArray[Any]
MakeDicom = Callable[..., Path]

NATIVE = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "big endian": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
}
COMPRESSED = {
    "RLE": uid.RLELossless,
    "JPEG baseline": uid.JPEGBaseline8Bit,
    "JPEG extended": uid.JPEGExtended12Bit,
    "JPEG lossless": uid.JPEGLossless,
    "JPEG lossless SV1": uid.JPEGLosslessSV1,
    "JPEG-LS": uid.JPEGLSLossless,
    "JPEG-LS near": uid.JPEGLSNearLossless,
    "JPEG 2000": uid.JPEG2000Lossless,
    "JPEG 2000 lossy": uid.JPEG2000,
    "HTJ2K": uid.HTJ2KLossless,
}


@pytest.fixture
def make_dicom(tmp_path: Path) -> MakeDicom:
    """`make_dicom(stored, "JPEG-LS", bits=12, signed=False, ...)` writes one image and returns its path."""

    def make(stored: Pixels, syntax: str = "explicit", name: str = "a.dcm", **settings: Any) -> Path:
        path = tmp_path / name
        dataset(stored, syntax, **settings).save_as(path, enforce_file_format=True)
        return path

    return make


def dataset(
    stored: Pixels,
    syntax: str = "explicit",
    bits: int = 12,
    signed: bool = False,
    allocated: int | None = None,
    high_bit: int | None = None,
    stream_bits: int | None = None,
    frame: bytes | None = None,
    **elements: Any,
) -> Dataset:
    """Stored values (H, W) or (H, W, 3) as an image; further elements by keyword, sequences of items as lists of dicts."""
    allocated = allocated or (8 if bits <= 8 else 16)
    high_bit = bits - 1 if high_bit is None else high_bit
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = (NATIVE | COMPRESSED)[syntax]
    data.SOPClassUID, data.SOPInstanceUID = uid.DigitalMammographyXRayImageStorageForPresentation, "1.2.3"
    data.Rows, data.Columns = stored.shape[:2]
    data.SamplesPerPixel = 3 if stored.ndim == 3 else 1
    data.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    if stored.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = allocated, bits, high_bit, int(signed)
    order = ">" if syntax == "big endian" else "<"
    for keyword, value in elements.items():
        setattr(data, keyword, [item(order, **fields) for fields in value] if keyword.endswith("Sequence") else value)
    words = (stored.astype(np.int64) & (2 ** (stream_bits or bits) - 1)) << (high_bit + 1 - bits)
    if syntax in NATIVE:
        raw = words.astype(f"{order}u{allocated // 8}").tobytes()
        data.PixelData = raw + b"\0" * (len(raw) % 2)
        data["PixelData"].VR = "OB" if allocated == 8 else "OW"
    else:
        frame = frame or encoded(words, syntax, stream_bits or bits, allocated, signed)
        data.PixelData = encapsulate([frame])
        data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    return data


def item(order: str, **fields: Any) -> Dataset:
    """An item of a LUT sequence. Entries are words (US) or, where there are many or bytes are given, a string (OW)."""
    made = Dataset()
    for keyword, value in fields.items():
        if keyword == "LUTData" and not isinstance(value, bytes) and len(value) > 1000:
            value = np.array(value, f"{order}u2").tobytes()
        made.add_new(keyword, "OW" if isinstance(value, bytes) else "US", value)
    return made


def encoded(words: Pixels, syntax: str, bits: int, allocated: int, signed: bool) -> bytes:
    """One frame of unsigned words. Only JPEG 2000 knows signed values."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    if syntax == "RLE":
        settings = {"rows": words.shape[0], "columns": words.shape[1], "bits_allocated": allocated}
        settings |= {"samples_per_pixel": words[0, 0].size, "number_of_frames": 1, "photometric_interpretation": "RGB"}
        raw = words.astype(f"<u{allocated // 8}")
        return encode_pixel_data(raw.tobytes(), byteorder="<", **settings)
    if syntax == "JPEG baseline":
        file = io.BytesIO()
        Image.fromarray(words.astype(np.uint8)).save(file, "JPEG", quality=100, subsampling=0)
        return file.getvalue()
    if syntax == "JPEG extended":
        return jpeg_extended(words, bits)
    if syntax.startswith("JPEG lossless"):
        return jpeg_lossless(words, bits, 1 if syntax.endswith("SV1") else 6)
    if syntax.startswith("JPEG-LS"):
        rows, columns, samples = (*words.shape, 1)[:3]
        settings = {"rows": rows, "columns": columns, "samples_per_pixel": samples, "bits_stored": bits}
        settings |= {"interleave_mode": 2 if samples > 1 else 0, "lossy_error": 3 if "near" in syntax else 0}
        return bytes(jpeg_ls.encode_buffer(words.astype(dtype).tobytes(), **settings))
    if signed:
        words = (words - (words >> (bits - 1) << bits)).astype(np.int8 if bits <= 8 else np.int16)
    ratios = [3] if "lossy" in syntax else None
    made = encode_array(words if signed else words.astype(dtype), bits_stored=bits, compression_ratios=ratios)
    return high_throughput(made) if syntax == "HTJ2K" else made


def high_throughput(stream: bytes) -> bytes:
    """An image of one value has no coded blocks, and is HTJ2K once its headers say so (T.814 A.2 and A.3)."""
    stream = bytearray(stream)
    stream[6:8] = struct.pack(">H", 0x4000)
    style = stream.index(b"\xff\x52")
    stream[style + 12] |= 0x40
    return bytes(stream[:style] + b"\xff\x50\0\x08\0\x02\0\0\0\0" + stream[style:])


def jpeg_lossless(pixels: Pixels, bits: int, predictor: int = 1) -> bytes:
    """ITU-T T.81 annex H with codes of five bits for all categories; (H, W)."""
    x, codes = pixels.astype(int).tolist(), []
    for i, row in enumerate(x):
        for j, value in enumerate(row):
            left, above = (row[j - 1] if j else 0), (x[i - 1][j] if i else 0)
            corner = x[i - 1][j - 1] if i and j else 0
            if not i or not j:
                guess = left if j else above if i else 2 ** (bits - 1)
            else:
                guess = {1: left, 4: left + above - corner, 6: above + ((left - corner) >> 1)}[predictor]
            difference = (value - guess + 2**15) % 2**16 - 2**15
            size = abs(difference).bit_length()
            codes.append((size, 5))
            codes.append(magnitude(difference, size if size < 16 else 0))
    tables = segment(0xC4, bytes([0, 0, 0, 0, 0, 17, *[0] * 11, *range(17)]))
    return jpeg(0xC3, pixels, bits, tables, bytes([predictor, 0, 0]), codes)


def jpeg_extended(pixels: Pixels, bits: int) -> bytes:
    """ITU-T T.81 annex F with steps of 1 and codes of eight bits for all AC symbols; (H, W), both multiples of 8."""
    k = np.arange(8)
    basis = np.cos((2 * k + 1) * k[:, None] * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    zigzag = sorted(np.ndindex(8, 8), key=lambda p: (sum(p), p[sum(p) % 2 == 0]))
    symbols = [run << 4 | size for run in range(16) for size in range(1, 15)] + [0, 0xF0]
    codes, last = [], 0
    for i, j in np.ndindex(pixels.shape[0] // 8, pixels.shape[1] // 8):
        block = pixels[8 * i : 8 * i + 8, 8 * j : 8 * j + 8].astype(float) - 2 ** (bits - 1)
        levels = [round(float((basis @ block @ basis.T)[place])) for place in zigzag]
        size = abs(levels[0] - last).bit_length()
        codes += [(size, 5), magnitude(levels[0] - last, size)]
        last, run = levels[0], 0
        end = max([n for n in range(1, 64) if levels[n]], default=0)
        for level in levels[1 : end + 1]:
            run += 1
            if level:
                codes += [(symbols.index(0xF0), 8)] * ((run - 1) // 16)
                size = abs(level).bit_length()
                codes += [(symbols.index((run - 1) % 16 << 4 | size), 8), magnitude(level, size)]
                run = 0
        codes += [(symbols.index(0), 8)] if end < 63 else []
    tables = segment(0xDB, bytes([0, *[1] * 64])) + segment(0xC4, bytes([0, 0, 0, 0, 0, 16, *[0] * 11, *range(16)]))
    tables += segment(0xC4, bytes([0x10, *[0] * 7, len(symbols), *[0] * 8, *symbols]))
    return jpeg(0xC1, pixels, bits, tables, bytes([0, 63, 0]), codes)


def jpeg(frame: int, pixels: Pixels, bits: int, tables: bytes, scan: bytes, codes: list[tuple[int, int]]) -> bytes:
    head = segment(frame, struct.pack(">BHHB3B", bits, *pixels.shape, 1, 1, 0x11, 0))
    text = "".join(f"{code:0{length}b}" for code, length in codes if length)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8).replace(b"\xff", b"\xff\0")
    return b"\xff\xd8" + head + tables + segment(0xDA, bytes([1, 1, 0]) + scan) + data + b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def magnitude(value: int, size: int) -> tuple[int, int]:
    return (value if value > 0 else value + 2**size - 1), size
