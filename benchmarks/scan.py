"""Files per second of `mammoseg scan` on generated DICOM files: headers alone, and with all pixels decoded and checked.

    OMP_NUM_THREADS=1 python benchmarks/scan.py [--headers 1000] [--images 40] [--workers 2]

The header pass is that of `--no-pixels`: finding files, reading headers (up to 2000 of them in one process), rows of the
manifest; the other one includes the start of the processes. Images are 3328 x 2560 pixels of 12 bits, uncompressed, and
were written just before: they come from the memory of the system.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from pydicom import Dataset, uid
from pydicom.dataset import FileMetaDataset

from mammoseg.ingest.examine import Settings
from mammoseg.ingest.exams import make_rows
from mammoseg.ingest.files import find_files
from mammoseg.ingest.scan import scan_files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headers", type=int, default=1000)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    for count, shape, pixels in ((args.headers, (160, 128), False), (args.images, (3328, 2560), True)):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), count, shape)
            measure(Path(folder), pixels, args.workers)


def measure(folder: Path, pixels: bool, workers: int) -> None:
    start = time.perf_counter()
    files, _ = find_files(folder)
    images, _ = make_rows(scan_files(files, Settings(folder, pixels=pixels), workers), salt=None)
    seconds = time.perf_counter() - start
    what = "with pixels" if pixels else "headers"
    print(
        f"{what:12} {len(images)} images in {seconds:.2f} s with {workers} processes: {len(images) / seconds:.1f} a second"
    )


def write(folder: Path, count: int, shape: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    breast = ((rows / shape[0] - 0.5) / 0.4) ** 2 + (columns / shape[1] / 0.7) ** 2 <= 1
    for number in range(count):
        side, view = ("L", "R")[number % 2], ("CC", "MLO")[number // 2 % 2]
        pixels = np.where(breast, 500 + (rows + number) % 3000, 0).astype("<u2")
        dataset = Dataset()
        dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
        dataset.SOPInstanceUID, dataset.StudyInstanceUID = f"1.2.3.{number}", f"1.2.{number // 4}"
        dataset.SeriesInstanceUID, dataset.PatientID = f"1.2.3.0.{number}", f"P{number // 4}"
        dataset.StudyDate, dataset.Modality, dataset.PresentationIntentType = "20240131", "MG", "FOR PRESENTATION"
        dataset.Manufacturer, dataset.ImageLaterality, dataset.ViewPosition = "Maker", side, view
        dataset.ImagerPixelSpacing = [0.07, 0.07]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns = shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.PixelData = (pixels if side == "L" else pixels[:, ::-1]).tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        dataset.save_as(folder / f"IM{number:06d}", enforce_file_format=True)


if __name__ == "__main__":
    main()
