"""Finding elements in files that break the rules, and refusing what is no DICOM, within bounded time and memory."""

import logging
import struct
import time
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from pydicom import Dataset, uid
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from mammoseg.io.dicom.errors import DicomReadError
from mammoseg.io.dicom.file import DicomFile, open_dicom

PIXELS = b"\0" * 2 * 64 * 64


def read_elements(path: Path) -> DicomFile:
    with open_dicom(path) as file:
        return file


def mammogram() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Modality = "MG"
    dataset.ViewPosition = "CC"
    dataset.Rows = dataset.Columns = 64
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.PixelData = PIXELS
    dataset["PixelData"].VR = "OW"
    return dataset


def body(dataset: Dataset, implicit: bool = False, little: bool = True) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = implicit, little
    write_dataset(file, dataset)
    return file.getvalue()


def meta(syntax: str) -> bytes:
    info = FileMetaDataset()
    info.MediaStorageSOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    info.MediaStorageSOPInstanceUID = "1.2.3"
    info.TransferSyntaxUID = uid.UID(syntax)
    return bytes(128) + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(body(info))) + body(info)


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "a.dcm"
    path.write_bytes(data)
    return path


EXPLICIT = meta(uid.ExplicitVRLittleEndian)
PLAIN = EXPLICIT + body(mammogram())
FILES = {
    "explicit": PLAIN,
    "implicit": meta(uid.ImplicitVRLittleEndian) + body(mammogram(), implicit=True),
    "big endian": meta(uid.ExplicitVRBigEndian) + body(mammogram(), little=False),
    "no preamble": PLAIN[132:],
    "no meta header": body(mammogram()),
    "no meta header, implicit": body(mammogram(), implicit=True),
    "no meta header, big endian": body(mammogram(), little=False),
    "preamble without meta header": PLAIN[:132] + body(mammogram()),
    "implicit, said to be explicit": EXPLICIT + body(mammogram(), implicit=True),
    "explicit, said to be implicit": meta(uid.ImplicitVRLittleEndian) + body(mammogram()),
    "unknown transfer syntax": meta("1.2.3.4.5") + body(mammogram()),
    "wrong length of the meta header": PLAIN[:140] + b"\xff\xff\0\0" + PLAIN[144:],
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_tolerated(tmp_path: Path, data: bytes) -> None:
    contents = read_elements(saved(tmp_path, data))
    assert contents.elements.text("ViewPosition") == "CC"
    assert contents.elements.integer("Rows") == 64
    assert contents.has_pixels
    assert contents.pixel_bytes == len(PIXELS)


def test_deflated(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = packer.compress(body(mammogram())) + packer.flush()
    contents = read_elements(saved(tmp_path, meta(uid.DeflatedExplicitVRLittleEndian) + data))
    assert contents.elements.text("ViewPosition") == "CC"
    assert (contents.has_pixels, contents.pixel_bytes) == (True, None)
    assert contents.transfer_syntax == uid.DeflatedExplicitVRLittleEndian


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    dataset = mammogram()
    dataset.PatientName, dataset.AccessionNumber, dataset.PatientBirthDate = "SECRET", "SECRET", "19000101"
    elements = read_elements(saved(tmp_path, EXPLICIT + body(dataset))).elements
    assert not {0x00100010, 0x00080050, 0x00100030} & set(vars(elements)["_raw"])


def test_directory(tmp_path: Path) -> None:
    data = EXPLICIT.replace(b"1.2.840.10008.5.1.4.1.1.1.2\0", b"1.2.840.10008.1.3.10".ljust(28, b"\0"))
    assert read_elements(saved(tmp_path, data)).media_class == uid.MediaStorageDirectoryStorage


def test_settings_of_the_process_stay(tmp_path: Path) -> None:
    path, before = saved(tmp_path, PLAIN), list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(read_elements, [path] * 40))) == 40
    assert list(warnings.filters) == before
    assert not logging.getLogger("pydicom").disabled


def test_no_pixels(tmp_path: Path) -> None:
    dataset = mammogram()
    del dataset.PixelData
    contents = read_elements(saved(tmp_path, EXPLICIT + body(dataset)))
    assert (contents.has_pixels, contents.pixel_bytes) == (False, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "this is not a DICOM file"),
        (b"patient_id,exam_id\n" * 20, "this is not a DICOM file"),
        (bytes(5000), "this is not a DICOM file"),
        (b"\x08\0", "this is not a DICOM file"),
        (bytes(128) + b"DICM", "damaged or cut short"),
        (bytes(128) + b"DICM" + bytes(8 * 60_000), "too long"),
        (bytes(128) + b"DICM" + b"\xff" * 5000, "damaged or cut short"),
        (EXPLICIT, "damaged or cut short"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + b"\x20\0\x0d\0UI\x04\x001.2\0", "no DICOM header was found"),
        (meta(uid.DeflatedExplicitVRLittleEndian) + b"\xff" * 200, "damaged or cut short"),
        (EXPLICIT + b"\x54\0\x20\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 2000, "nested too deep"),
    ],
)
def test_refused_with_a_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = saved(tmp_path, data)
    start = time.process_time()
    with pytest.raises(DicomReadError, match=reason) as refused:
        read_elements(path)
    assert time.process_time() - start < 1
    assert str(refused.value).startswith(str(path))
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_refused_paths(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.dcm", tmp_path / "nul\0.dcm", tmp_path / ("long" * 200)):
        with pytest.raises(DicomReadError):
            read_elements(path)


@pytest.mark.parametrize("tag", [0x00081030, 0x0008103E, 0x00091010, 0x00540220])
@pytest.mark.parametrize("vr", [b"UT", b"SQ", b"UN", b"OB"])
def test_absurd_lengths_take_no_memory(tmp_path: Path, tag: int, vr: bytes) -> None:
    absurd = struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, 0xFFFFFFF0)
    path = saved(tmp_path, EXPLICIT + b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + absurd + body(mammogram()))
    tracemalloc.start()
    with suppress(DicomReadError):
        read_elements(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


def test_absurd_length_inside_a_sequence(tmp_path: Path) -> None:
    inside = struct.pack("<HH2sHL", 0x0008, 0x0104, b"UT", 0, 0xFFFFFFF0)
    path = saved(
        tmp_path,
        EXPLICIT + b"\x54\0\x20\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" + inside + bytes(10**7),
    )
    tracemalloc.start()
    with pytest.raises(DicomReadError):
        read_elements(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 64_000_000


def test_deflated_bomb(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    data = packer.compress(body(mammogram())) + b"".join(packer.compress(bytes(10**7)) for _ in range(20))
    path = saved(tmp_path, meta(uid.DeflatedExplicitVRLittleEndian) + data + packer.flush())
    tracemalloc.start()
    contents = read_elements(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert contents.elements.text("ViewPosition") == "CC"
    assert most < 64_000_000


def test_size_of_the_pixels_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path, PLAIN)
    with path.open("r+b") as file:
        file.truncate(4 << 30)
    start = time.process_time()
    assert read_elements(path).elements.text("ViewPosition") == "CC"
    assert time.process_time() - start < 0.5
