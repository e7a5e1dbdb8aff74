"""Forms of a prepared crop on disk, and what reading a training sample costs, on one core.

    OMP_NUM_THREADS=1 python benchmarks/cache.py [IMAGE ...] [--repeats 9] [--folder FOLDER]

Without images, one phantom exam of four images with 3328 x 2560 pixels is generated. The side is taken from the pixels,
the view is MLO where the file name contains it. `warm`: the file is in the memory of the system; `cold`: that memory was
told to drop it before each read (Linux; says something of the disk below FOLDER only). First table: medians over the
crops, from the path to an array of pixels. Second table: `hash` is reading the whole image file for its hash, once for
an image; `key` finds the crop of an image in a new process; `get` is CropCache.get, all from the row of the manifest to
the BreastCrop; `window` cuts and normalises; `sample` is WindowDataset[...], get and window included.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from mammoseg.data.cache import CropCache
from mammoseg.data.cropfile import read_crop, write_crop
from mammoseg.data.dataset import WindowDataset
from mammoseg.data.manifest import ImageRow
from mammoseg.ingest.synthetic import write_study
from mammoseg.io.atomic import atomic_path
from mammoseg.io.read import read_pixels
from mammoseg.phantom.config import PhantomConfig
from mammoseg.prep.breast import BreastCrop
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import prepare_window
from mammoseg.prep.window import WindowNoise

Pixels = NDArray[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        rows = [row_of(path) for path in args.images or generated(Path(folder))]
        compare_forms(Path(folder), rows, args.repeats)
        measure_samples(Path(folder), rows, args.repeats)


def row_of(path: Path) -> ImageRow:
    pixels = read_pixels(path) > 0
    middle = pixels.shape[1] // 2
    side = "L" if pixels[:, :middle].sum() > pixels[:, middle:].sum() else "R"
    return ImageRow("p", "e", path.stem, side, "MLO" if "MLO" in path.stem.upper() else "CC", path)


def generated(folder: Path) -> list[Path]:
    write_study(folder / "study", 1, PhantomConfig(), 0, (1.0, 0.0, 0.0))
    return sorted((folder / "study" / "images").glob("*.png"))


def compare_forms(folder: Path, rows: list[ImageRow], repeats: int) -> None:
    cache = CropCache(folder / "forms", PrepConfig())
    crops = [cache.get(row) for row in rows]
    print(
        f"{len(crops)} crops of {statistics.median(c.pixels.nbytes for c in crops) / 1e6:.1f} MB (median of {repeats})"
    )
    print(f"{'form':24} {'MB':>6} {'write ms':>9} {'warm ms':>8} {'cold ms':>8}")
    for name, (write, read) in FORMS.items():
        results = [one_form(folder / "file.npz", crop, write, read, repeats) for crop in crops]
        size, writing, warm, cold = (statistics.median(column) for column in zip(*results, strict=True))
        print(f"{name:24} {size / 1e6:6.2f} {writing:9.0f} {warm:8.1f} {cold:8.1f}")


def one_form(
    path: Path,
    crop: BreastCrop,
    write: Callable[[Path, BreastCrop], None],
    read: Callable[[Path], Pixels],
    repeats: int,
) -> tuple[float, ...]:
    """Bytes, and milliseconds to write, read and read from the disk."""
    writing = median_ms(lambda: write(path, crop), repeats)
    if not np.array_equal(read(path), crop.pixels):
        raise SystemExit(f"{path}: other pixels were read than written")
    return (
        path.stat().st_size,
        writing,
        median_ms(lambda: read(path), repeats),
        median_ms(lambda: read(path), repeats, lambda: forget(path)),
    )


def measure_samples(folder: Path, rows: list[ImageRow], repeats: int) -> None:
    cache = CropCache(folder / "cache", PrepConfig())
    crops = [cache.get(row) for row in rows]
    plain, noisy = WindowDataset(rows, cache), WindowDataset(rows, cache, WindowNoise())
    rng = np.random.default_rng(0)

    def drop() -> None:
        for path in (folder / "cache").rglob("*.npz"):
            forget(path)

    works: dict[str, tuple[Callable[[int], object], Callable[[], None] | None]] = {
        "hash": (lambda i: hashlib.sha256(rows[i].path.read_bytes()), None),
        "key": (lambda i: CropCache(folder / "cache", PrepConfig()).has(rows[i]), None),
        "get": (lambda i: cache.get(rows[i]), None),
        "get, cold": (lambda i: cache.get(rows[i]), drop),
        "window": (lambda i: prepare_window(crops[i], cache.prep), None),
        "window, noise": (lambda i: prepare_window(crops[i], cache.prep, WindowNoise(), rng), None),
        "sample": (lambda i: plain[i, 0], None),
        "sample, noise": (lambda i: noisy[i, 0], None),
        "sample, noise, cold": (lambda i: noisy[i, 0], drop),
    }
    print(f"\n{'step':24} {'ms':>6}")
    for name, (work, before) in works.items():
        each = [median_ms(lambda i=i, work=work: work(i), repeats, before) for i in range(len(rows))]
        print(f"{name:24} {statistics.median(each):6.1f}")


def median_ms(work: Callable[[], object], repeats: int, before: Callable[[], None] | None = None) -> float:
    times = []
    for _ in range(repeats):
        if before:
            before()
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def forget(path: Path) -> None:
    """Let the system drop the content of a file from its memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write_npz(path: Path, crop: BreastCrop) -> None:
    with atomic_path(path) as temporary:
        np.savez(temporary, pixels=crop.pixels)


def read_npz(path: Path) -> Pixels:
    with np.load(path) as stored:
        return stored["pixels"]


def write_npy(path: Path, crop: BreastCrop) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, crop.pixels)


def write_png(level: int) -> Callable[[Path, BreastCrop], None]:
    def write(path: Path, crop: BreastCrop) -> None:
        data = cv2.imencode(".png", crop.pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])[1]
        with atomic_path(path) as temporary:
            temporary.write_bytes(data.tobytes())

    return write


def read_png(path: Path) -> Pixels:
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)


def write_codec(name: str, split: bool) -> Callable[[Path, BreastCrop], None]:
    """Compressed by a codec of Arrow, the bytes of the pixels apart or not; neither checksum nor description."""

    def write(path: Path, crop: BreastCrop) -> None:
        pixels = np.ascontiguousarray(crop.pixels)
        data = pixels.view(np.uint8).reshape(-1, pixels.itemsize).T if split else pixels
        packed = pa.Codec(name).compress(np.ascontiguousarray(data).view(np.uint8).reshape(-1))
        with atomic_path(path) as temporary:
            temporary.write_bytes(np.array(pixels.shape, np.int64).tobytes() + packed.to_pybytes())

    return write


def read_codec(name: str, split: bool) -> Callable[[Path], Pixels]:
    def read(path: Path) -> Pixels:
        data = path.read_bytes()
        rows, columns = np.frombuffer(data[:16], np.int64).tolist()
        flat = np.frombuffer(pa.Codec(name).decompress(data[16:], 2 * rows * columns), np.uint8)
        if not split:
            return flat.view(np.uint16).reshape(rows, columns).copy()
        return cv2.merge(list(flat.reshape(2, rows, columns))).view(np.uint16)[..., 0]

    return read


FORMS: dict[str, tuple[Callable[[Path, BreastCrop], None], Callable[[Path], Pixels]]] = {
    "npz": (write_npz, read_npz),
    "npy": (write_npy, lambda path: np.load(path)),
    **{f"PNG, level {level}": (write_png(level), read_png) for level in (0, 1, 3)},
    **{
        f"{name}{', bytes apart' * split}": (write_codec(name, split), read_codec(name, split))
        for name in ("lz4_raw", "zstd")
        for split in (False, True)
    },
    "mammoseg": (write_crop, lambda path: read_crop(path, heatmaps=False).pixels),
}
"""Name -> (write, read); all are written whole or not at all."""


if __name__ == "__main__":
    main()
