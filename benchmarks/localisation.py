"""Metrics of maps and marks on full-size images, against the same from enlarged maps with NumPy, in one run.

    python benchmarks/localisation.py [--images 500] [--brute 5] [--cells 736 480] [--replicates 1000]

Every image has 4096 x 3328 pixels, a map of CELLS over a window of 2944 x 1920 pixels (noise and blobs), and a mask with one or two
lesions, which is read from a PNG file each time. mammoseg does all that `evaluate` does of maps and marks, tables with intervals
included; NumPy enlarges the map, sorts its pixels for PxAP and the best Dice, and looks for peaks among them. Each is a process of
its own, whose time holds the making of the maps, too; what both have measured must be the same. 2944 1920 for CELLS: every pixel of the window has a value of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from mammoseg.evaluation.free_response import mark_tables
from mammoseg.evaluation.localise import Drawn, Localiser
from mammoseg.evaluation.maps import map_tables
from mammoseg.evaluation.method import Method, load_metrics
from mammoseg.io.read import read_mask
from mammoseg.records.grid import PixelGrid
from mammoseg.records.prediction import Prediction
from mammoseg.statistics.peaks import local_maxima

GRID = PixelGrid((4096, 3328), (4096, 3328), True, 600, -20, 2944, 1920, (2944, 1920))
MASKS = 8
LABEL = "malignant"


def write_masks(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(MASKS):
        mask = np.zeros(GRID.original_shape, np.uint8)
        for _ in range(1 + number % 2):
            middle = int(rng.integers(1500, 3200)), int(rng.integers(1200, 3200))
            cv2.ellipse(mask, middle[::-1], (int(rng.integers(60, 300)), 120), 30, 0, 360, 255, -1)
        cv2.imwrite(str(folder / f"{number}.png"), mask)


def image(number: int, cells: tuple[int, int]) -> Prediction:
    """Noise below 0.3, and four blobs."""
    rng = np.random.default_rng(number)
    values = rng.random(cells, dtype=np.float32) * 0.3
    rows, columns = np.ogrid[: cells[0], : cells[1]]
    for _ in range(4):
        row, column, radius = rng.random(3) * (cells[0], cells[1], cells[0] / 20) + (0, 0, 2)
        values = np.maximum(values, np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / radius**2) * rng.random())
    maps = {"saliency": values.astype(np.float16).astype(np.float32)[None]}
    ids = (f"i{number}", f"p{number // 4}", f"e{number // 4}", "L", "CC")
    return Prediction(*ids, {LABEL: 0.5}, GRID, maps)


def ours(folder: Path, count: int, cells: tuple[int, int], replicates: int) -> dict[str, list[float]]:
    method = Method(load_metrics(), (LABEL,), replicates)
    localiser = Localiser(method, [LABEL])
    for number in range(count):
        made = image(number, cells)
        mask = {LABEL: folder / f"{number % MASKS}.png"}
        localiser.add(made, Drawn(made.patient_id, {LABEL: float(number % 4 > 0)}, mask, pixel_mm=0.07))
    found = localiser.found()
    map_tables(found.pixel_rows, method)
    found.pooled[LABEL, "saliency"].numbers(method)
    mark_tables(found, method, {})
    final = found.pixel_rows[found.pixel_rows["map"] == "saliency"]
    return {name: final[name].tolist() for name in ("dice_soft", "dice_best", "iou_half", "pxap", "pointing_inside")}


def brute(folder: Path, count: int, cells: tuple[int, int], _: int) -> dict[str, list[float]]:
    rows = []
    for number in range(count):
        mask = read_mask(folder / f"{number % MASKS}.png").ravel()
        enlarged = np.rint(GRID.restore(image(number, cells).maps["saliency"][0]).astype(np.float64) * 65535) / 65535
        s, lesion = enlarged.ravel(), mask.sum()
        order = np.argsort(-s, kind="stable")
        ends = np.flatnonzero(np.diff(s[order], append=-1))  # the last pixel of each value
        hits = np.cumsum(mask[order])[ends]
        called, gained = ends + 1, np.diff(hits, prepend=0)
        peaks = np.flatnonzero(s == s.max())
        local_maxima(enlarged, 0.01)
        half = s >= 0.5
        rows.append(
            {
                "dice_soft": 2 * (s @ mask) / (s @ s + lesion),
                "dice_best": float((2 * hits / (called + lesion)).max()),
                "iou_half": (half & mask).sum() / (half | mask).sum(),
                "pxap": float((hits / called * gained).sum() / lesion),
                "pointing_inside": float(mask[peaks[peaks.size // 2]]),
            }
        )
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def child(given: argparse.Namespace) -> None:
    count = given.images if given.arm == "mammoseg" else given.brute
    work = ours if given.arm == "mammoseg" else brute
    start = time.perf_counter()
    numbers = work(Path(given.folder), count, tuple(given.cells), given.replicates)
    seconds, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
    print(json.dumps({"count": count, "seconds": seconds, "cpu": cpu, "peak_gib": peak, "numbers": numbers}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--brute", type=int, default=5)
    parser.add_argument("--cells", type=int, nargs=2, default=[736, 480])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--arm", choices=["mammoseg", "NumPy"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        child(given)
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        write_masks(Path(folder))
        for arm in ("mammoseg", "NumPy"):
            command = [sys.executable, *sys.argv, "--arm", arm, "--folder", folder]
            result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[arm] = json.loads(result.stdout.splitlines()[-1])
    for arm, result in found.items():
        count, seconds, cpu = (result[name] for name in ("count", "seconds", "cpu"))
        times = f"{seconds:8.1f} s, {cpu:8.1f} s of a core, {cpu / count:6.2f} s each"
        print(f"{arm:9s} {count:4d} images {times}, peak {result['peak_gib']:.2f} GiB")
    for name, values in found["NumPy"]["numbers"].items():
        np.testing.assert_allclose(found["mammoseg"]["numbers"][name][: len(values)], values, rtol=1e-9, err_msg=name)
    print("the same numbers:", ", ".join(found["NumPy"]["numbers"]))


if __name__ == "__main__":
    main()
