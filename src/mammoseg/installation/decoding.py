"""Whether images can be read here: every compression of DICOM files, and pictures of 16 bits."""

import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mammoseg.installation.samples import RAMP, SAMPLES, Sample
from mammoseg.io.dicom.pixels import read_dicom_pixels
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import read_pixels
from mammoseg.records.check import Check

_PACKAGES = {
    "RLE": "pylibjpeg-rle",
    "JPEG baseline": "pillow",
    "JPEG extended": "python-gdcm",
    "JPEG lossless": "python-gdcm",
    "JPEG lossless SV1": "python-gdcm",
    "JPEG-LS": "pyjpegls",
    "JPEG 2000": "pylibjpeg-openjpeg",
    "HTJ2K": "pylibjpeg-openjpeg",
}
"""Who decodes what (io/dicom/decode.py)."""


def check_decoding() -> list[Check]:
    """Each decoder on a generated file."""
    try:
        with tempfile.TemporaryDirectory(prefix="mammoseg-doctor-") as name:
            folder = Path(name)
            return [*(_dicom(sample, folder) for sample in SAMPLES), _pictures(folder)]
    except OSError as error:
        remedy = "Free space, or set TMPDIR to a folder that can be written to"
        return [Check("FAIL", "decoders", f"no file can be written to try them ({error.strerror})", remedy)]


def _dicom(sample: Sample, folder: Path) -> Check:
    package = _PACKAGES.get(sample.name, "pydicom")
    subject = f"DICOM {sample.name}"
    path = folder / "sample.dcm"
    sample.write(path)
    try:
        pixels = read_dicom_pixels(path).pixels
        wrong = pixels.shape != sample.image.shape or np.abs(pixels.astype(int) - sample.image).max() > sample.error
        problem = "other pixels come out than were put in" if wrong else ""
    except ImageReadError as error:
        problem = str(error).removeprefix(f"{path}: ").partition(". ")[0]
    if problem:
        return Check("FAIL", subject, f"{problem} ({package})", f"pip install --force-reinstall {package}")
    return Check("PASS", subject, f"{package} {_version(package)}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def _pictures(folder: Path) -> Check:
    broken = []
    for suffix in ("png", "tiff"):
        path = folder / f"sample.{suffix}"
        Image.fromarray(RAMP).save(path)
        try:
            right = np.array_equal(read_pixels(path), RAMP)
        except ImageReadError:
            right = False
        if not right:
            broken.append(suffix.upper())
    found = f"OpenCV {cv2.__version__}, Pillow {version('pillow')}"
    if broken:
        remedy = "pip install --force-reinstall opencv-python-headless pillow"
        return Check("FAIL", "pictures", f"16 bits are lost in {' and '.join(broken)} ({found})", remedy)
    return Check("PASS", "pictures", f"PNG and TIFF of 16 bits; {found}")
