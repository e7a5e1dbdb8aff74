"""Stage 2 of GLAM: the frozen model chooses patches on every image, once, and they are kept in a table.

Patch centres are stored in original pixels, so they stay valid for any displaced training window.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mammoseg.data.batching import InOrder, loader_processes
from mammoseg.data.dataset import WindowDataset, collate
from mammoseg.io.atomic import atomic_path
from mammoseg.training.module import TrainingError

Choose = Callable[[Any, Tensor], Tensor]
"""(model, images) -> corners (B, P, 2) of the patches in the window."""


def extract_patches(
    model: nn.Module,
    choose: Choose,
    data: WindowDataset,
    patch_px: int,
    batch_size: int,
    device: torch.device,
    workers: int,
    progress: Callable[[], None] | None = None,
) -> pd.DataFrame:
    """One row per patch: image_id, rank (0 is the most salient), row and col of its centre in original pixels.

    `progress` is called after each image.
    """
    loader = DataLoader(
        data,
        batch_size,
        sampler=InOrder(len(data)),
        collate_fn=collate,
        **loader_processes(workers),
    )
    model = model.to(device).eval()
    records = []
    with torch.inference_mode():
        for batch, indices in loader:
            corners_BP2 = choose(model, batch.image_BCHW.to(device)).cpu().numpy()
            for index, corners_P2 in zip(indices, corners_BP2, strict=True):
                centres_P2 = data.grid(index).to_original(corners_P2 + patch_px / 2)
                image_id = data.rows[index].image_id
                records += [(image_id, rank, *centre) for rank, centre in enumerate(centres_P2)]
                if progress is not None:
                    progress()
    return pd.DataFrame(records, columns=["image_id", "rank", "row", "col"])


def save_patches(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)


def load_patches(path: Path) -> dict[str, NDArray[np.float64]]:
    """image_id -> (P, 2) centres in original pixels. Raises TrainingError for a table that `save_patches` has not written."""
    try:
        table = pd.read_csv(path, dtype={"image_id": str}, keep_default_na=False).sort_values(["image_id", "rank"])
        centres = {str(name): part[["row", "col"]].to_numpy(np.float64) for name, part in table.groupby("image_id")}
        if not all(np.isfinite(centres_P2).all() for centres_P2 in centres.values()):
            raise ValueError("a centre is no number")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path}: damaged ({error}). Expected the patches that training chose. Delete the file and give the same command "
            "again: they are chosen anew."
        ) from None
    return centres
