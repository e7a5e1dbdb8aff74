"""Stage 2 of GLAM: the frozen model chooses patches on every image, once, and they are kept in a table.

Patch centres are stored in original pixels, so they stay valid for any displaced training window.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from mammoseg.config import Config
from mammoseg.data.batching import InOrder, loader_processes
from mammoseg.data.dataset import Collate, WindowDataset
from mammoseg.io.atomic import atomic_path
from mammoseg.nn.contract import Stage
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
    loader = DataLoader(
        data,
        batch_size,
        sampler=Share(InOrder(len(data)), even=False),
        collate_fn=Collate(),
        **loader_processes(workers),
    )
    if stage.extracts is None:
        raise TypeError(f"stage {stage.name} has no patches")
    model = model.to(device).eval()
    records = []
    with full_float32(), torch.inference_mode():
        for batch, indices in loader:
            corners_BP2, side = stage.extracts(model, batch.image_BCHW.to(device), objective)
            for index, corners_P2 in zip(indices, corners_BP2.cpu().numpy(), strict=True):
                if index < 0:
                    continue
                centres_P2 = data.grid(index).to_original(corners_P2 + side / 2)
                image_id = data.rows[index].image_id
                records += [(image_id, rank, *centre, side) for rank, centre in enumerate(centres_P2)]
                if progress is not None:
                    progress()
    every = [record for records in of_all(records) for record in records]
    return pd.DataFrame(every, columns=["image_id", "rank", "row", "col", "side"])


def save_patches(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)


def load_patches(path: Path) -> tuple[dict[str, NDArray[np.float64]], int]:
    """image_id -> (P, 2) centres in original pixels, and the side of all patches in model pixels.

    Raises TrainingError for a table that `save_patches` has not written.
    """
    try:
        table = pd.read_csv(path, dtype={"image_id": str}, keep_default_na=False).sort_values(["image_id", "rank"])
        centres = {str(name): part[["row", "col"]].to_numpy(np.float64) for name, part in table.groupby("image_id")}
        if not all(np.isfinite(centres_P2).all() for centres_P2 in centres.values()):
            raise ValueError("a centre is no number")
        [side] = set(table["side"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path}: damaged ({error}). Expected the patches that training chose. Delete the file and give the same command "
            "again: they are chosen anew."
        ) from None
    return centres, int(side)
