"""Time to read a DICOM mammogram, by transfer syntax, on one core.

    python benchmarks/dicom.py [--repeats 5] [--mode nyu]

The image is generated: a breast-like ellipse of 12-bit texture, 3328 x 2560 pixels, beside a background of 0. JPEG
lossless is read by another process, started for each image; its start is part of the time. MB/s are of decoded pixels.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import gdcm
import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from rle.utils import encode_pixel_data

from mammoseg.io.dicom.pixels import read_dicom_pixels

ROWS, COLUMNS = 3328, 2560
NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
COMPRESSED = (
    uid.RLELossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
)
NAMES = {uid.JPEGLosslessSV1: "JPEG Lossless (SV1)", uid.JPEG2000: "JPEG 2000 lossy", uid.RLELossless: "RLE"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mode", choices=["nyu", "presentation"], default="nyu")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    pixels = generated()
    print(f"{'transfer syntax':42} {'file MB':>8} {'ms':>7} {'MB/s':>6}   (median of {args.repeats})")
    with tempfile.TemporaryDirectory() as folder:
        for syntax in (*NATIVE, *COMPRESSED):
            path = Path(folder) / "image.dcm"
            write(path, pixels, syntax)
            read = read_dicom_pixels(path).pixels.astype(int)
            lossy = syntax in (uid.JPEGLSNearLossless, uid.JPEG2000)
            if np.abs(read - pixels).max() > (200 if lossy else 0):
                raise SystemExit(f"{syntax.name}: other pixels than those written")
            times = []
            for _ in range(args.repeats):
                start = time.perf_counter()
                read_dicom_pixels(path, args.mode)
                times.append(time.perf_counter() - start)
            taken = statistics.median(times)
            name = NAMES.get(syntax, syntax.name.replace(" Image Compression", ""))
            size = path.stat().st_size / 1e6
            print(f"{name:42} {size:8.1f} {1e3 * taken:7.0f} {pixels.nbytes / 1e6 / taken:6.0f}")


def generated() -> NDArray[np.uint16]:
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:ROWS, :COLUMNS]
    breast = ((rows - 1600) / 1300) ** 2 + (cols / 1200) ** 2 <= 1
    texture = sum(  # of all sizes, the large ones strongest, as in a breast
        cv2.resize(rng.normal(0, 2.0**level, (ROWS >> level, COLUMNS >> level)), (COLUMNS, ROWS))
        for level in range(1, 8)
    )
    noise = rng.normal(0, 10, breast.shape)
    return np.where(breast, np.clip(1800 + 2 * texture + noise, 1, 4095), 0).astype(np.uint16)


def write(path: Path, pixels: NDArray[np.uint16], syntax: uid.UID) -> None:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID, data.SOPInstanceUID = uid.DigitalMammographyXRayImageStorageForPresentation, "1.2.3"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *pixels.shape, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.WindowCenter, data.WindowWidth = 2048, 4096
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    data.PixelData = (
        pixels.astype(f"{order}u2").tobytes() if syntax in NATIVE else encapsulate([encoded(pixels, syntax)])
    )
    data["PixelData"].VR = "OW" if syntax in NATIVE else "OB"
    data["PixelData"].is_undefined_length = syntax in COMPRESSED
    data.save_as(path, enforce_file_format=True)


def encoded(pixels: NDArray[np.uint16], syntax: uid.UID) -> bytes:
    size = {"rows": ROWS, "columns": COLUMNS, "samples_per_pixel": 1}
    if syntax == uid.RLELossless:
        more = {"bits_allocated": 16, "number_of_frames": 1, "photometric_interpretation": "MONOCHROME2"}
        return encode_pixel_data(pixels.tobytes(), byteorder="<", **size, **more)
    if syntax == uid.JPEGLosslessSV1:
        return jpeg_lossless(pixels)
    if syntax in (uid.JPEGLSLossless, uid.JPEGLSNearLossless):
        error = 2 if syntax == uid.JPEGLSNearLossless else 0
        return bytes(jpeg_ls.encode_buffer(pixels.tobytes(), bits_stored=12, lossy_error=error, **size))
    return encode_array(pixels, bits_stored=12, compression_ratios=[10] if syntax == uid.JPEG2000 else None)


def jpeg_lossless(pixels: NDArray[np.uint16]) -> bytes:
    """By GDCM; every object on the way must live as long as the next one."""
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetByteStringValue(pixels.tobytes())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((COLUMNS, ROWS, 1))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, 0))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ImplicitVRLittleEndian))
    image.SetDataElement(element)
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(image)
    if not change.Change():
        raise SystemExit("GDCM does not compress the image")
    output = change.GetOutput()
    data = output.GetDataElement()
    fragments = data.GetSequenceOfFragments()
    fragment = fragments.GetFragment(0)
    value = fragment.GetByteValue()
    return value.GetBuffer().encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main()
