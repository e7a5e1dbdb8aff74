"""Time and memory of one prediction with the published GLAM: from an image file to saved scores, maps and figure.

    OMP_NUM_THREADS=2 python benchmarks/forward.py [--image IMAGE] [--patches 1] [--repeats 3] [--device cpu]

The weights are random: they cost as much as trained ones. Without an image one is generated: a breast-like ellipse of
12-bit noise, 3328 x 2560 pixels, of which the model sees a window of 2944 x 1920.
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch

from mammoseg.data.manifest import ImageRow
from mammoseg.export.figures import overlay_writer
from mammoseg.inference.predictor import open_predictor
from mammoseg.io.read import read_pixels
from mammoseg.io.runs import save_prediction
from mammoseg.models import build_model
from mammoseg.models.glam.config import GlamConfig
from mammoseg.nn.checkpoint import save_checkpoint
from mammoseg.prep.config import PrepConfig

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--patches", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own, so that its memory does not count.
        worker = multiprocessing.get_context("spawn").Process(target=write_inputs, args=(Path(folder),))
        worker.start()
        worker.join()
        measure(Path(folder), args.image or Path(folder) / "generated.png", args.patches, args.repeats, args.device)


def write_inputs(folder: Path) -> None:
    """A checkpoint with random weights, and an image."""
    config, prep = GlamConfig(), PrepConfig()
    settings = (config.model_dump(mode="json"), prep.model_dump(mode="json"))
    save_checkpoint(folder / "checkpoint", "glam", build_model("glam", config), *settings, provenance={})
    rows, cols = np.mgrid[:3328, :2560]
    breast = ((rows - 1600) / 1300) ** 2 + (cols / 1200) ** 2 <= 1
    noise = np.random.default_rng(0).integers(1, 4096, breast.shape)
    cv2.imwrite(str(folder / "generated.png"), np.where(breast, noise, 0).astype(np.uint16))


def measure(folder: Path, image_path: Path, patches: int, repeats: int, device: str) -> None:
    times: dict[str, list[float]] = {}

    def timed(step: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        times.setdefault(step, []).append(time.perf_counter() - start)
        return result

    peaks = {"imports": peak_gib()}
    predictor = timed("loading", lambda: open_predictor(folder / "checkpoint", device, [f"num_patches={patches}"]))
    peaks["loaded"] = peak_gib()
    out = folder / "predictions"
    write_overlay = overlay_writer(out, predictor.prep)
    row = ImageRow("p", "e", "image", "L", "CC", image_path)
    for _ in range(repeats):
        image = timed("reading", lambda: row.mammogram(read_pixels(row.path)))
        loaded = timed("preparation", lambda image=image: predictor.prepare(row, image))
        prediction = timed("network", lambda loaded=loaded: predictor.predict(loaded))
        timed("saving", lambda prediction=prediction: save_prediction(out, prediction))
        timed("overlay", lambda prediction=prediction, image=image: write_overlay(prediction, image, row))
    peaks["predicted"] = peak_gib()

    print(f"{patches} patch(es), {device}, {torch.get_num_threads()} threads; seconds, first and median of {repeats}")
    for step, seconds in times.items():
        print(f"  {step:12} {seconds[0]:7.2f} {statistics.median(seconds):7.2f}")
    print("peak memory in GiB: " + ", ".join(f"{value:.2f} after {step}" for step, value in peaks.items()))


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
