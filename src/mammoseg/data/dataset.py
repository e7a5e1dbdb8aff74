"""Prepared windows for the network: manifest row -> Sample, and many Samples -> Batch.

Shapes   C channel (the mammogram, then its heatmaps if the cache has them) | K class | H, W window pixels | P patches
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.data.masks import Masks, window_masks
from mammoseg.nn.contract import Batch
from mammoseg.prep.pipeline import prepare_window, window_grid
from mammoseg.prep.window import WindowNoise
from mammoseg.records.grid import PixelGrid
from mammoseg.records.label import CLASSES


class Sample(NamedTuple):
    """One image, ready for the network."""

    image_CHW: Tensor
    label_K: Tensor
    """0, 1 or NaN (unknown)."""
    corners_P2: Tensor | None
    row: int
    """Its number in the data set."""


class WindowDataset(Dataset[Sample]):
    """Windows of the given rows, as the cache prepares them. Index with `(row, epoch)`: the window's random displacement
    follows from both and the seed alone, so a resumed run sees what an uninterrupted one would have seen."""

    def __init__(
        self,
        rows: Sequence[ImageRow],
        cache: CropCache,
        noise: WindowNoise | None = None,
        seed: int = 0,
        classes: Sequence[str] = CLASSES,
        patch_px: int = 0,
        patch_centres: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        """`classes`: those of the model, which labels and masks are about. `patch_centres`: image_id -> (P, 2) centres in original
        pixels; the samples then carry patch corners."""
        self.rows = list(rows)
        self.cache = cache
        self.noise = noise
        self.seed = seed
        self.classes = tuple(classes)
        self.patch_px = patch_px
        self.patch_centres = patch_centres

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        index, epoch = key
        row = self.rows[index]
        rng = np.random.default_rng((self.seed, epoch, index))
        prepared = prepare_window(self.cache.get(row), self.cache.prep, self.noise, rng)
        corners = None if self.patch_centres is None else self._corners(self.patch_centres[row.image_id], prepared.grid)
        image_CHW = torch.from_numpy(prepared.channels(self.cache.heatmaps))
        return Sample(image_CHW, torch.from_numpy(row.label_K(self.classes)).float(), corners, index)

    def grid(self, index: int) -> PixelGrid:
        """Where the undisplaced window of a row lies in its original image."""
        return window_grid(self.cache.get(self.rows[index]), self.cache.prep)

    def masks(self, index: int) -> Masks:
        """Class name -> lesion mask (H, W) in the undisplaced window, for the classes that have one.

        Raises ImageReadError for a mask that cannot be read or has not the size of its frame.
        """
        row = self.rows[index]
        files = {name: row.masks[name] for name in self.classes if name in row.masks}
        return window_masks(files, self.grid(index), row.mask_frame) if files else {}

    def _corners(self, centres_P2: NDArray[np.float64], grid: PixelGrid) -> Tensor:
        corners_P2 = np.rint(grid.to_model(centres_P2) - self.patch_px / 2).astype(np.int64)
        return torch.from_numpy(np.clip(corners_P2, 0, np.subtract(self.cache.prep.window, self.patch_px)))


def collate(samples: Sequence[Sample]) -> tuple[Batch, list[int]]:
    """Samples -> the batch and the row of each image in the data set."""
    corners = [s.corners_P2 for s in samples if s.corners_P2 is not None]
    batch = Batch(
        image_BCHW=torch.stack([s.image_CHW for s in samples]),
        label_BK=torch.stack([s.label_K for s in samples]),
        corners_BP2=torch.stack(corners) if corners else None,
    )
    return batch, [s.row for s in samples]
