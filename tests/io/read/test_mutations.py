"""Broken and hostile DICOM files give pixels or a named reason, within seconds and without much memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (JPEG2000Lossless, JPEGLSLossless, RLELossless)
PER_SYNTAX = 90

# Not getrusage: what it tells of a process begins with the memory of the one that has started it.
READ_ALL = """
import json, sys, time, warnings
from pathlib import Path
from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.read import ImageReadError, read_image
warnings.simplefilter("ignore")
for path in sorted(Path(sys.argv[1]).iterdir()):
    started = time.process_time()
    try:
        shape, reason = read_image(path).pixels.shape, None
    except (DicomReadError, ImageReadError) as error:
        shape, reason = None, str(error)
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20
    print(json.dumps([path.name, shape, reason, time.process_time() - started, peak]), flush=True)
"""


def mammogram(syntax: str) -> Dataset:
    rng = np.random.default_rng(0)
    pixels = np.where(np.arange(96)[None] < 60, rng.integers(100, 4000, (128, 96)), 0).astype(np.uint16)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax if syntax in PLAIN else ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality, dataset.PresentationIntentType, dataset.ImageType = "MG", "FOR PRESENTATION", "ORIGINAL\\PRIMARY"
    dataset.PatientName, dataset.PatientID = "Secret^Name", "SecretId"
    dataset.ImageLaterality, dataset.ViewPosition = "L", "CC"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.WindowCenter, dataset.WindowWidth, dataset.PixelPaddingValue = 2000, 4000, 0
    dataset.PixelData = pixels.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    if syntax in COMPRESSED:
        dataset.compress(syntax, pixels)
    return dataset


def mutated(dataset: Dataset, content: bytes, rng: np.random.Generator) -> bytes | Dataset:
    """One fault: of the bytes, or of what the header declares."""
    kind = rng.integers(8)
    data = bytearray(content)
    if kind == 0:
        return content[: int(rng.integers(len(content)))]
    if kind == 1:
        for at in rng.integers(0, len(data), 1 + int(rng.integers(20))):
            data[at] = int(rng.integers(256))
        return bytes(data)
    if kind == 2:
        at, size = int(rng.integers(len(data))), int(rng.integers(1, 200))
        data[at : at + size] = rng.bytes(size) if rng.random() < 0.5 else b""
        return bytes(data)
    if kind == 3:  # the part in which lengths and tags stand
        for at in rng.integers(132, min(900, len(data)), 4):
            data[at] = int(rng.choice([0, 1, 127, 255]))
        return bytes(data)
    changed = Dataset()
    changed.update(dataset)
    changed.file_meta = dataset.file_meta
    if kind == 4:
        names = [e.keyword for e in dataset if e.keyword]
        for name in rng.choice(names, 1 + int(rng.integers(3)), replace=False):
            delattr(changed, name)
    if kind == 5:
        size = int(rng.choice([0, 1, 7, 65535]))
        setattr(changed, str(rng.choice(["Rows", "Columns"])), size)
    if kind == 6:
        name = str(rng.choice(["BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel", "PixelRepresentation"]))
        setattr(changed, name, int(rng.choice([0, 1, 3, 13, 17, 64, 65535])))
    if kind == 7:
        changed.Rows, changed.Columns, changed.NumberOfFrames = 65535, 65535, int(rng.choice([1, 1000, 2**31 - 1]))
    return changed


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """Name, shape or reason, seconds and peak memory in GiB of each file, all read by one other process."""
    folder: Path = tmp_path_factory.mktemp("mutated")
    rng = np.random.default_rng(1)
    for number, syntax in enumerate((*PLAIN, *COMPRESSED)):
        dataset = mammogram(syntax)
        whole = folder / f"{number}_whole.dcm"
        dataset.save_as(whole, enforce_file_format=True)
        content = whole.read_bytes()
        for i in range(PER_SYNTAX):
            fault, path = mutated(dataset, content, rng), folder / f"{number}_{i:03}.dcm"
            if isinstance(fault, bytes):
                path.write_bytes(fault)
                continue
            try:
                fault.save_as(path, enforce_file_format=True)
            except Exception:  # pydicom itself refuses some of it
                path.write_bytes(content[: len(content) // 2])
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder)], capture_output=True, text=True, check=False, timeout=250
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"after {lines[-1][0] if lines else 'nothing'}: {done.stderr[-2000:]}"
    return lines


def test_every_file_has_a_result(results: list[list[Any]]) -> None:
    assert len(results) == 7 * (PER_SYNTAX + 1) > 500
    for name, shape, reason, _, _ in results:
        assert (shape is None) != (reason is None), name
        if "whole" in name:
            assert shape == [128, 96]
    assert sum(reason is not None for _, _, reason, _, _ in results) > 200


def test_reasons_name_the_file_and_no_patient(results: list[list[Any]]) -> None:
    for name, _, reason, _, _ in results:
        if reason is not None:
            assert name in reason
            assert len(reason) > len(name) + 40
            assert "Secret" not in reason


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
def test_none_takes_long_or_much_memory(results: list[list[Any]]) -> None:
    assert max(seconds for *_, seconds, _ in results) < 5
    assert max(peak for *_, peak in results) < 2
