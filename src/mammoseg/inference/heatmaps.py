"""Heatmaps of a patch classifier for every image of a manifest, as other models see them beside the mammogram.

    OUT/CLASS/<image_id>.png    probability of the class for every pixel of the image file, 16 bits, 65535 is 1
    OUT/walks/<image_id>.json   the size of the breast that was walked over; the image is done when this is there
    OUT/manifest.csv            the manifest with the columns CLASS_heatmap
    OUT/run.json                which checkpoint
    OUT/errors.csv              images that failed

The classifier sees the whole breast, cut out, mirrored and normalised as one image, without a window. Which strides of the walk are
one pixel shorter is drawn as in the published software: one generator, seeded with 0, image after image in the order of the
manifest, rows before columns. A run that is continued draws again for the images that are done, from their sizes, and so goes on
as if it had not been stopped. An image that had failed draws at its place once it works; later images that are done stay.

Source   Wu et al. 2019 (arXiv:1903.08297), Sec. 3.2 and the released software: order, overlaps, mean of overlapping patches.
Deviates Of an exam the patches of each image are computed by themselves, in hundreds, which changes rounding alone.
Shapes   N patches | K class | h, w pixels of the breast | H, W pixels of the file | s side of a patch
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from mammoseg.bounded import read_json
from mammoseg.data.columns import HEATMAP
from mammoseg.data.load import load_crop
from mammoseg.data.manifest import ImageRow, Manifest
from mammoseg.inference.engines.pytorch import TorchEngine
from mammoseg.inference.resume import inputs_of
from mammoseg.io.atomic import atomic_path, plain, write_json
from mammoseg.io.errors import ImageReadError, RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.runs import is_safe_id
from mammoseg.nn.inference import computing
from mammoseg.nn.walk import PatchNetwork, starts
from mammoseg.prep.breast import BreastCrop, PrepError

logger = logging.getLogger(__name__)

MANIFEST, RUN = "manifest.csv", "run.json"
_AT_ONCE = 100
_CERTAIN = 65535


class HeatmapsError(ValueError):
    """Heatmaps that cannot be made, or not into this folder."""


@dataclass(frozen=True)
class Made:
    manifest: Path
    made: int
    done_before: int
    failed: int


class Walk:
    """The draws of the published software: `starts` of the patches along both axes, image after image."""

    def __init__(self, patch: int, stride: int) -> None:
        self.patch, self.stride = patch, stride
        self._random = random.Random(0)

    def over(self, shape: tuple[int, int]) -> tuple[list[int], list[int]]:
        """First rows and first columns of the patches of the next image. Raises PrepError for one that holds no patch."""
        if min(shape) < self.patch:
            raise PrepError(
                f"the breast has {shape[0]} x {shape[1]} pixels. Expected at least a patch of {self.patch}. Leave the image out."
            )
        rows, cols = (starts(side, self.patch, self.stride, self._drawn) for side in shape)
        return rows, cols

    def _drawn(self, strides: int, short: int) -> list[int]:
        return self._random.sample(range(strides), short)


def write_heatmaps(
    engine: TorchEngine, manifest: Manifest, out: Path, progress: Callable[[], None] = lambda: None
) -> Made:
    """Make what is not there yet. An image that fails is noted, and the rest goes on.

    Raises HeatmapsError for a model that classifies no patches, and for a folder with heatmaps of another checkpoint.
    """
    network = engine.model
    if not isinstance(network, PatchNetwork):
        raise HeatmapsError(
            f"{engine.checkpoint.folder}: is of the model {engine.checkpoint.model}, which classifies no patches. Expected one "
            "such as patch_densenet. Give a checkpoint of it."
        )
    _check_own(out, engine)
    failures, walk = Failures(out), Walk(network.patch_px, network.stride_px)
    made = done = 0
    for row in manifest.rows(engine.classes, required=False):
        with _noting(failures, row):
            inputs = plain(inputs_of(row, ()))
            shape = _walked(out, row.image_id, engine.classes, inputs)
            if shape is None:
                crop = load_crop(row, engine.prep, ())[1]
                rows, cols = walk.over((crop.pixels.shape[0], crop.pixels.shape[1]))
                maps_Khw = _mean_of_patches(engine, network, crop, rows, cols)
                for name, map_hw in zip(engine.classes, maps_Khw, strict=True):
                    _write(out / name / f"{row.image_id}.png", _on_file(map_hw, crop))
                write_json(_walk_file(out, row.image_id), {"shape": list(crop.pixels.shape), "inputs": inputs})
                made += 1
            else:
                walk.over(shape)
                done += 1
        progress()
    failures.write_table()
    table = manifest.table.copy()
    for name in engine.classes:
        files = [out.absolute() / name / f"{image_id}.png" for image_id in table["image_id"]]
        table[HEATMAP.format(name)] = [str(file) if file.is_file() else None for file in files]
    Manifest(table, out / MANIFEST).to_csv(out / MANIFEST)
    return Made(out / MANIFEST, made, done, sum(image_id in failures for image_id in table["image_id"]))


@contextmanager
def _noting(failures: Failures, row: ImageRow) -> Iterator[None]:
    try:
        yield
    except (ImageReadError, PrepError) as error:
        failures.add(row.image_id, row.path, "heatmaps", error)
        logger.warning("%s: %s", row.image_id, error)
    else:
        failures.remove(row.image_id)


def _check_own(out: Path, engine: TorchEngine) -> None:
    path, own = out / RUN, {**engine.description(), "format": 1}
    if path.exists() and read_json(path).get("checkpoint_sha256") != own["checkpoint_sha256"]:
        raise HeatmapsError(
            f"{out}: holds heatmaps of another checkpoint. Expected a new folder. Choose one with --out."
        )
    write_json(path, own)


def _walk_file(out: Path, image_id: str) -> Path:
    if not is_safe_id(image_id):
        raise ImageReadError(
            f"{image_id!r:.80}: is no name of a file. Expected letters, digits, '.', '_' and '-'. Rename it."
        )
    return out / "walks" / f"{image_id}.json"


def _walked(out: Path, image_id: str, classes: Sequence[str], inputs: Any) -> tuple[int, int] | None:
    """The size of the breast of an image that is done; None: it is not, it has changed since, or a heatmap is missing."""
    path = _walk_file(out, image_id)
    if not all(file.exists() for file in (path, *(out / name / f"{image_id}.png" for name in classes))):
        return None
    try:
        walked = read_json(path)
        if walked["inputs"] != inputs:
            return None
        rows, cols = map(int, walked["shape"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFileError(f"{path}: damaged ({error}). Delete it: the image is made again.") from None
    return rows, cols


def _mean_of_patches(
    engine: TorchEngine, network: PatchNetwork, crop: BreastCrop, rows: Sequence[int], cols: Sequence[int]
) -> NDArray[np.float32]:
    """(K, h, w) on the crop: columns are the outer loop, as in the published software."""
    image_hw, s = torch.from_numpy(_normalised(crop.pixels)).to(engine.device), network.patch_px
    corners = [(row, col) for col in cols for row in rows]
    sums_Khw = np.zeros((len(engine.classes), *crop.pixels.shape), np.float32)
    with computing(engine.device, engine.precision):
        for first in range(0, len(corners), _AT_ONCE):
            some = corners[first : first + _AT_ONCE]
            patches = torch.stack([image_hw[row : row + s, col : col + s] for row, col in some]).unsqueeze(1)
            found_NK = network.of_patches(patches).float().cpu().numpy()
            for (row, col), p_K in zip(some, found_NK, strict=True):
                sums_Khw[:, row : row + s, col : col + s] += p_K[:, None, None]
    counts_h, counts_w = (_counted(at, s, side) for at, side in zip((rows, cols), crop.pixels.shape, strict=True))
    sums_Khw /= np.outer(counts_h, counts_w)
    return sums_Khw


def _counted(starts_N: Sequence[int], patch: int, length: int) -> NDArray[np.int64]:
    """How many patches see each place along an axis."""
    ends = np.zeros(length + 1, np.int64)
    np.add.at(ends, list(starts_N), 1)
    np.add.at(ends, [start + patch for start in starts_N], -1)
    return np.cumsum(ends)[:-1]


def _normalised(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Mean 0 and standard deviation 1 of the whole breast, in double precision; 0 where all pixels are the same."""
    values = pixels.astype(np.float64)
    deviation = values.std()
    return ((values - values.mean()) / (deviation or 1.0)).astype(np.float32)


def _on_file(map_hw: NDArray[np.float32], crop: BreastCrop) -> NDArray[np.uint16]:
    """On the pixels of the image file; 0 beside the breast."""
    top, bottom, left, right = crop.window
    whole_HW: NDArray[Any] = np.zeros(crop.working_shape, np.float32)
    whole_HW[top:bottom, left:right] = map_hw[:, ::-1] if crop.flipped else map_hw
    if crop.working_shape != crop.original_shape:
        whole_HW = cv2.resize(whole_HW, crop.original_shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.rint(np.clip(whole_HW, 0, 1) * _CERTAIN).astype(np.uint16)


def _write(path: Path, values_HW: NDArray[np.uint16]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", values_HW, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
