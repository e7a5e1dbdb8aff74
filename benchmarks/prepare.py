"""Time from an image file to the normalised model window, beside the same with plain scipy morphology, on one core.

    python benchmarks/prepare.py [IMAGE ...] [--repeats 5]

Without images, four are generated: breast-like ellipses of 12-bit noise, 3328 x 2560 pixels. The side is taken from
the pixels, the view is MLO where the file name contains it. Both ways must give the same window, pixel for pixel.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mammoseg.io.read import read_pixels
from mammoseg.prep import pipeline
from mammoseg.prep.breast import Mask
from mammoseg.prep.config import PrepConfig
from mammoseg.prep.pipeline import prepare
from mammoseg.records.image import Mammogram


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        compare(args.images or generated(Path(folder)), args.repeats)


def compare(paths: list[Path], repeats: int) -> None:
    print(f"{'image':28} {'mammoseg ms':>12} {'scipy ms':>10} {'ratio':>7}   (median of {repeats})")
    all_ours, all_plain = [], []
    for path in paths:
        window(path)  # warm the file cache
        ours, result = timed(lambda path=path: window(path), repeats)
        with mock.patch.object(pipeline, "largest_opened", largest_opened_by_scipy):
            plain, expected = timed(lambda path=path: window(path), repeats)
        if not np.array_equal(result, expected):
            raise SystemExit(f"{path}: the two ways give different windows")
        print(f"{path.name:28} {ours:12.0f} {plain:10.0f} {plain / ours:7.1f}")
        all_ours.append(ours)
        all_plain.append(plain)
    ours, plain = statistics.median(all_ours), statistics.median(all_plain)
    print(f"{'median':28} {ours:12.0f} {plain:10.0f} {plain / ours:7.1f}")


def window(path: Path) -> NDArray[np.float32]:
    view = "MLO" if "MLO" in path.stem.upper() else "CC"
    side = "R" if "R" in path.stem.upper().replace("-", "_").split("_") else "L"
    return prepare(Mammogram(read_pixels(path), side, view, path.stem), PrepConfig()).window


def timed(work: Callable[[], NDArray[np.float32]], repeats: int) -> tuple[float, NDArray[np.float32]]:
    """Median milliseconds, and the last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), result


def largest_opened_by_scipy(mask: Mask, radius: int) -> Mask | None:
    """What mammoseg.prep.breast.largest_opened does, written as r-fold erosion and dilation."""
    labels, count = ndimage.label(ndimage.binary_erosion(mask, iterations=radius))
    if count == 0:
        return None
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return ndimage.binary_dilation(largest, iterations=radius)


def generated(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = []
    for side, view in (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")):
        rows, cols = np.mgrid[:3328, :2560]
        breast = ((rows - 1600) / 1300) ** 2 + (cols / 1200) ** 2 <= 1
        pixels = np.where(breast, rng.integers(1, 4096, breast.shape), 0).astype(np.uint16)
        path = folder / f"generated_{side}_{view}.png"
        cv2.imwrite(str(path), pixels if side == "L" else pixels[:, ::-1])
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
