"""Images predicted by `predict_images`, which reads, computes and writes at the same time, against the same steps one after the
other, in one process and in turns.

    python benchmarks/predict.py [--checkpoint RUN] [--images FOLDER] [--workers 2] [--repeats 3]

Without a checkpoint: a small GLAM with random weights; without images: 16 generated DICOM files of 3328 x 2560 pixels, JPEG 2000,
JPEG-LS, RLE and native. Both ways draw figures. The first turn is not counted; ratios are of medians.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pydicom import dcmread, uid

from dicom import generated, write
from mammoseg.data.image_row import ImageRow
from mammoseg.export.figures import overlay_writer
from mammoseg.inference.batch import predict_images
from mammoseg.inference.predictor import Predictor, open_predictor
from mammoseg.ingest.given import gather, look_at
from mammoseg.io.runs import save_prediction
from mammoseg.models import build_model
from mammoseg.nn.checkpoint import save_checkpoint
from mammoseg.recipes.glam import glam_small

SYNTAXES = (uid.ExplicitVRLittleEndian, uid.JPEG2000Lossless, uid.JPEGLSLossless, uid.RLELossless)
COUNT = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        predictor = open_predictor(args.checkpoint or random_checkpoint(folder / "checkpoint"))
        rows = look_at(gather([args.images or generated_images(folder / "images")], None), None, args.workers).rows
        ways: dict[str, Callable[[Path], None]] = {
            "one after the other": lambda out: one_by_one(predictor, rows, out),
            "at the same time": lambda out: together(predictor, rows, out, args.workers),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(1 + args.repeats):
            for number, (way, run) in enumerate(ways.items()):
                start = time.perf_counter()
                run(folder / f"out_{turn}_{number}")
                seconds[way].append(time.perf_counter() - start)
    plain, fast = (statistics.median(each[1:]) for each in seconds.values())
    print(
        f"{len(rows)} images, {args.workers} workers, {torch.get_num_threads()} threads; median of {args.repeats} turns"
    )
    for way, each in seconds.items():
        print(
            f"  {way:20} {statistics.median(each[1:]):6.2f} s  {60 * len(rows) / statistics.median(each[1:]):6.1f} images a minute"
        )
    print(f"  ratio {plain / fast:.2f}")


def one_by_one(predictor: Predictor, rows: list[ImageRow], out: Path) -> None:
    draw = overlay_writer(out, predictor.prep)
    for row in rows:
        loaded = predictor.load(row)
        prediction = predictor.predict(loaded)
        draw(prediction, loaded.image, row)
        save_prediction(out, prediction)


def together(predictor: Predictor, rows: list[ImageRow], out: Path, workers: int) -> None:
    result = predict_images(predictor, rows, out, workers, before_saving=overlay_writer(out, predictor.prep))
    if result.predicted != len(rows):
        raise RuntimeError(f"{result.failed} images failed, see {out / 'errors.csv'}")


def random_checkpoint(folder: Path) -> Path:
    torch.manual_seed(0)
    recipe = glam_small()
    settings = [config.model_dump(mode="json") for config in (recipe.network, recipe.prep)]
    return save_checkpoint(folder, "glam", build_model("glam", recipe.network), *settings, provenance={})


def generated_images(folder: Path) -> Path:
    folder.mkdir()
    pixels = generated()
    for number in range(COUNT):
        path = folder / f"{number:02}.dcm"
        write(path, np.roll(pixels, 7 * number, axis=0), SYNTAXES[number % len(SYNTAXES)])
        data = dcmread(path)
        data.Modality, data.PatientID, data.StudyInstanceUID = "MG", f"P{number}", f"1.2.{number}"
        data.ImageLaterality, data.ViewPosition, data.ImagerPixelSpacing = "L", ("CC", "MLO")[number % 2], [0.07, 0.07]
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        data.save_as(path)
    return folder


if __name__ == "__main__":
    main()
