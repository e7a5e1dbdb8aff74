"""What a frozen model gives a later stage, once for every image: patches (stage 2 of GLAM) and outlines of lesions in tables,
features in files (training/features.py).

Patches and outlines are stored in original pixels, so they stay valid for any displaced training window; features do not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mammoseg.config import Config
from mammoseg.data.batching import InOrder, loader_processes
from mammoseg.data.dataset import Collate, Outlines, WindowDataset
from mammoseg.io.atomic import atomic_path
from mammoseg.nn.contract import Batch, Stage
from mammoseg.nn.inference import full_float32
from mammoseg.training.distributed import Share, of_all
from mammoseg.training.features import FeatureFiles
from mammoseg.training.module import TrainingError

T = TypeVar("T")


@dataclass(frozen=True)
class Extractor:
    """A model that looks at every image of `data` and learns nothing from it; each process at its share."""

    model: nn.Module
    objective: Config
    data: WindowDataset
    batch_size: int
    device: torch.device
    workers: int = 0
    progress: Callable[[], None] = lambda: None
    """Called after each image that this process has looked at."""

    def patches(self, stage: Stage) -> pd.DataFrame:
        """One row per patch: image_id, rank (0 is the most salient), row and col of its centre in original pixels, and its side
        in model pixels."""
        choose = stage.extracts
        if choose is None:
            raise TypeError(f"stage {stage.name} has no patches")

        def of_batch(batch: Batch) -> list[tuple[NDArray[np.int64], int]]:
            corners_BP2, side = choose(self.model, batch.image_BCHW, self.objective)
            return [(corners_P2, side) for corners_P2 in corners_BP2.cpu().numpy()]

        def of_image(index: int, chosen: tuple[NDArray[np.int64], int]) -> list[Any]:
            corners_P2, side = chosen
            centres_P2 = self.data.grid(index).to_original(corners_P2 + side / 2)
            return [(rank, *centre, side) for rank, centre in enumerate(centres_P2)]

        return self._table(["rank", "row", "col", "side"], of_batch, of_image)

    def outlines(self, stage: Stage) -> pd.DataFrame:
        """One row per corner, in their order: image_id, class, row and col in original pixels."""
        choose = stage.outlines
        if choose is None:
            raise TypeError(f"stage {stage.name} has no outlines")

        def of_batch(batch: Batch) -> list[list[NDArray[np.float64] | None]]:
            return choose(self.model, batch.image_BCHW, batch.label_BK, self.objective)

        def of_image(index: int, of_classes: list[NDArray[np.float64] | None]) -> list[Any]:
            grid = self.data.grid(index)
            return [
                (name, *corner)
                for name, corners_N2 in zip(self.data.classes, of_classes, strict=True)
                if corners_N2 is not None
                for corner in grid.to_original(corners_N2)
            ]

        return self._table(["class", "row", "col"], of_batch, of_image)

    def features(self, stage: Stage, files: FeatureFiles) -> None:
        """Into `files`. With a batch size of 1, whatever was there before, those of an image are always the same."""
        precompute = stage.precomputes
        if precompute is None:
            raise TypeError(f"stage {stage.name} has no features")

        def of_batch(batch: Batch) -> list[Tensor]:
            return list(precompute(self.model, batch.image_BCHW))

        def of_image(index: int, features: Tensor) -> list[Any]:
            files.save(self.data.rows[index].image_id, features)
            return []

        self._table([], of_batch, of_image)

    def _table(
        self, columns: list[str], of_batch: Callable[[Batch], list[T]], of_image: Callable[[int, T], list[Any]]
    ) -> pd.DataFrame:
        """What all processes have found; `of_image` takes the number of its row."""
        loader = DataLoader(
            self.data,
            self.batch_size,
            sampler=Share(InOrder(len(self.data)), even=False),
            collate_fn=Collate(),
            **loader_processes(self.workers),
        )
        self.model.to(self.device).eval()
        records = []
        with full_float32(), torch.inference_mode():
            for batch, indices in loader:
                found = of_batch(batch._replace(image_BCHW=batch.image_BCHW.to(self.device)))
                for index, one in zip(indices, found, strict=True):
                    if index >= 0:
                        image_id = self.data.rows[index].image_id
                        records += [(image_id, *record) for record in of_image(index, one)]
                        self.progress()
        every = [record for of_process in of_all(records) for record in of_process]
        return pd.DataFrame(every, columns=["image_id", *columns])


def save_table(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)


def load_patches(path: Path) -> tuple[dict[str, NDArray[np.float64]], int]:
    """image_id -> (P, 2) centres in original pixels, and the side of all patches in model pixels.

    Raises TrainingError for a table that is not one of `Extractor.patches`.
    """
    with _readable(path, "patches"):
        table = pd.read_csv(path, dtype={"image_id": str}, keep_default_na=False).sort_values(["image_id", "rank"])
        centres = {str(name): _points(part) for name, part in table.groupby("image_id")}
        [side] = set(table["side"])
    return centres, int(side)


def load_outlines(path: Path) -> Outlines:
    """Raises TrainingError for a table that is not one of `Extractor.outlines`."""
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
