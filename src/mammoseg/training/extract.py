"""What a frozen model gives a later stage, once for every image, in tables: patches (stage 2 of GLAM), outlines of lesions.

Both are stored in original pixels, so they stay valid for any displaced training window.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from mammoseg.config import Config
from mammoseg.data.batching import InOrder, loader_processes
from mammoseg.data.dataset import Collate, Outlines, WindowDataset
from mammoseg.io.atomic import atomic_path
from mammoseg.nn.contract import Batch, Stage
from mammoseg.nn.inference import full_float32
from mammoseg.training.distributed import Share, of_all
from mammoseg.training.module import TrainingError


def extract_patches(
    model: nn.Module,
    stage: Stage,
    objective: Config,
    data: WindowDataset,
    batch_size: int,
    device: torch.device,
    workers: int,
    progress: Callable[[], None] | None = None,
) -> pd.DataFrame:
    """One row per patch: image_id, rank (0 is the most salient), row and col of its centre in original pixels, and its side in
    model pixels.

    `progress` is called after each image that this process looks at.
    """
    if stage.extracts is None:
        raise TypeError(f"stage {stage.name} has no patches")
    records = []
    for batch, indices in _every_image(model, data, batch_size, device, workers):
        corners_BP2, side = stage.extracts(model, batch.image_BCHW, objective)
        for index, corners_P2 in zip(indices, corners_BP2.cpu().numpy(), strict=True):
            if index < 0:
                continue
            centres_P2 = data.grid(index).to_original(corners_P2 + side / 2)
            image_id = data.rows[index].image_id
            records += [(image_id, rank, *centre, side) for rank, centre in enumerate(centres_P2)]
            if progress is not None:
                progress()
    return _table(records, ["image_id", "rank", "row", "col", "side"])


def extract_outlines(
    model: nn.Module,
    stage: Stage,
    objective: Config,
    data: WindowDataset,
    batch_size: int,
    device: torch.device,
    workers: int,
    progress: Callable[[], None] | None = None,
) -> pd.DataFrame:
    """One row per corner, in their order: image_id, class, row and col in original pixels. Like `extract_patches`."""
    if stage.outlines is None:
        raise TypeError(f"stage {stage.name} has no outlines")
    records = []
    for batch, indices in _every_image(model, data, batch_size, device, workers):
        outlines = stage.outlines(model, batch.image_BCHW, batch.label_BK, objective)
        for index, of_classes in zip(indices, outlines, strict=True):
            if index < 0:
                continue
            grid, image_id = data.grid(index), data.rows[index].image_id
            for name, corners_N2 in zip(data.classes, of_classes, strict=True):
                if corners_N2 is not None:
                    records += [(image_id, name, *corner) for corner in grid.to_original(corners_N2)]
            if progress is not None:
                progress()
    return _table(records, ["image_id", "class", "row", "col"])


def _every_image(
    model: nn.Module, data: WindowDataset, batch_size: int, device: torch.device, workers: int
) -> Iterator[tuple[Batch, list[int]]]:
    """The share of this process, on the device of the model, which learns nothing from it."""
    loader = DataLoader(
        data,
        batch_size,
        sampler=Share(InOrder(len(data)), even=False),
        collate_fn=Collate(),
        **loader_processes(workers),
    )
    model.to(device).eval()
    with full_float32(), torch.inference_mode():
        for batch, indices in loader:
            yield batch._replace(image_BCHW=batch.image_BCHW.to(device)), indices


def _table(records: list[Any], columns: list[str]) -> pd.DataFrame:
    """What all processes have found."""
    return pd.DataFrame([record for records in of_all(records) for record in records], columns=columns)


def save_table(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)


def load_patches(path: Path) -> tuple[dict[str, NDArray[np.float64]], int]:
    """image_id -> (P, 2) centres in original pixels, and the side of all patches in model pixels.

    Raises TrainingError for a table that `extract_patches` has not made.
    """
    with _readable(path, "patches"):
        table = pd.read_csv(path, dtype={"image_id": str}, keep_default_na=False).sort_values(["image_id", "rank"])
        centres = {str(name): _points(part) for name, part in table.groupby("image_id")}
        [side] = set(table["side"])
    return centres, int(side)


def load_outlines(path: Path) -> Outlines:
    """Raises TrainingError for a table that `extract_outlines` has not made."""
    with _readable(path, "outlines"):
        table = pd.read_csv(path, dtype={"image_id": str, "class": str}, keep_default_na=False)
        return {(str(image), str(name)): _points(part) for (image, name), part in table.groupby(["image_id", "class"])}


def _points(table: pd.DataFrame) -> NDArray[np.float64]:
    points_N2 = table[["row", "col"]].to_numpy(np.float64)
    if not np.isfinite(points_N2).all():
        raise ValueError("a coordinate is no number")
    return points_N2


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path}: damaged ({error}). Expected the {what} that training chose. Delete the file and give the same command "
            "again: they are chosen anew."
        ) from None
