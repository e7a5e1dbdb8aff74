"""Prepared windows for the network: manifest row -> Sample, and many Samples -> Batch.

Shapes   C channel (the mammogram, then its heatmaps if the cache has them) | K class | H, W window pixels | P patches
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from mammoseg.data.boxes import Boxes, boxes_in_window, boxes_of_mask
from mammoseg.data.cache import CropCache
from mammoseg.data.manifest import ImageRow
from mammoseg.data.masks import Files, Masks, image_masks, window_masks
from mammoseg.data.sample import Sample, nothing_like, on_canvas
from mammoseg.data.units import units_of
from mammoseg.data.warp import WarpConfig, draw, warp_boxes, warp_image, warp_mask, warp_points
from mammoseg.nn.contract import Batch, Target
from mammoseg.prep.pipeline import prepare_window, window_grid
from mammoseg.prep.window import WindowNoise
from mammoseg.records.grid import PixelGrid
from mammoseg.records.label import CLASSES

Outlines = Mapping[tuple[str, str], NDArray[np.float64]]
"""(image_id, class) -> corners (N, 2) of the outline of a lesion, (row, column) in original pixels."""
Features = Callable[[str], Tensor]
"""image_id -> what a frozen part of the model says of its undisplaced window."""


class WindowDataset(Dataset[Any]):
    """Windows of the given rows, as the cache prepares them. Index with `(number, epoch)`: the window's random displacement
    follows from both and the seed alone, so a resumed run sees what an uninterrupted one would have seen.

    An item is the Sample of a row, or, of a model of several views, the Samples of a unit.
    """

    def __init__(
        self,
        rows: Sequence[ImageRow],
        cache: CropCache,
        noise: WindowNoise | None = None,
        seed: int = 0,
        classes: Sequence[str] = CLASSES,
        learns_from: Sequence[Target] = ("labels",),
        views: Sequence[str] = (),
        warp: WarpConfig | None = None,
    ) -> None:
        """`classes`: those of the model, which labels, masks and boxes are about; `learns_from`: what samples carry; `warp`: what
        is done to a window beside its displacement."""
        self.rows = list(rows)
        self.cache = cache
        self.noise = noise
        self.warp = warp
        self.seed = seed
        self.classes = tuple(classes)
        self.learns_from, self.views = tuple(learns_from), tuple(views)
        self.patch_px = 0
        self.patch_centres: Mapping[str, NDArray[np.float64]] | None = None
        self.outlines: Outlines | None = None
        self.features: Features | None = None
        self._boxes_of_masks: dict[int, Boxes] = {}
        number = {id(row): index for index, row in enumerate(self.rows)}
        self.units = [
            tuple(None if row is None else number[id(row)] for row in unit) for unit in units_of(self.rows, views)
        ]
        """Numbers of the rows of each item."""

    def with_patches(self, patch_px: int, centres: Mapping[str, NDArray[np.float64]]) -> "WindowDataset":
        """The same, with patch corners in the samples: `centres` are image_id -> (P, 2) in original pixels."""
        other = copy(self)
        other.patch_px, other.patch_centres = patch_px, centres
        return other

    def with_outlines(self, outlines: Outlines) -> "WindowDataset":
        """The same, with outlines of lesions in the samples."""
        other = copy(self)
        other.outlines = outlines
        return other

    def with_features(self, features: Features) -> "WindowDataset":
        """The same, with features of the undisplaced windows in the samples, and so without displacement and warp."""
        other = copy(self)
        other.features, other.noise, other.warp = features, None, None
        return other

    def items(self) -> list[ImageRow]:
        """A row for each item: where there are several images, the first one with the labels of all, positive if one is."""
        if not self.views:
            return self.rows
        units = [[self.rows[index] for index in unit if index is not None] for unit in self.units]
        return [replace(rows[0], labels=_labels_of(rows)) for rows in units]

    def __len__(self) -> int:
        return len(self.units)

    def __getitem__(self, key: tuple[int, int]) -> Any:
        number, epoch = key
        if not self.views:
            return self.sample(number, epoch)
        samples = [None if index is None else self.sample(index, epoch) for index in self.units[number]]
        known = next(sample for sample in samples if sample is not None)
        return [sample or nothing_like(known) for sample in samples]

    def sample(self, index: int, epoch: int) -> Sample:
        """The window of a row."""
        row = self.rows[index]
        rng = np.random.default_rng((self.seed, epoch, index))
        crop = self.cache.get(row)
        prepared = prepare_window(crop, self.cache.prep, self.noise, rng)
        sample = Sample(
            torch.from_numpy(prepared.channels(self.cache.heatmaps)),
            torch.from_numpy(row.label_K(self.classes)).float(),
            None
            if self.patch_centres is None
            else _corners(
                prepared.grid.to_model(self.patch_centres[row.image_id]), self.patch_px, prepared.grid.model_shape
            ),
            index,
            self._masks(index, window_grid(crop, self.cache.prep), prepared.grid)
            if "masks" in self.learns_from
            else None,
            boxes_in_window(row, self._drawn_boxes(index), self.classes, prepared.grid)
            if "boxes" in self.learns_from
            else None,
            None if self.outlines is None else _filled(self.outlines, row, self.classes, prepared.grid),
            None if self.features is None else self.features(row.image_id),
        )
        moved = sample if self.warp is None else _warped(sample, self.warp, self.patch_px, rng)
        return on_canvas(moved, self.cache.prep.canvas)

    def shape(self, index: int) -> tuple[int, int]:
        """(rows, columns) of the window of a row, which lies in the upper left corner of its sample."""
        return self.cache.prep.window_of(self.rows[index].view)

    def grid(self, index: int) -> PixelGrid:
        """Where the undisplaced window of a row lies in its original image."""
        return window_grid(self.cache.get(self.rows[index]), self.cache.prep)

    def masks(self, index: int) -> Masks:
        """Class name -> lesion mask (H, W) in the undisplaced window, for the classes that have one.

        Raises ImageReadError for a mask that cannot be read or has not the size of its frame.
        """
        files = self._mask_files(index)
        return window_masks(files, self.grid(index), self.rows[index].mask_frame) if files else {}

    def _drawn_boxes(self, index: int) -> Boxes:
        """In original pixels, of classes with a mask and no boxes; masks are read once."""
        if index not in self._boxes_of_masks:
            row, files = self.rows[index], self._mask_files(index)
            files = {name: path for name, path in files.items() if name not in row.boxes}
            masks = image_masks(files, self.grid(index), row.mask_frame) if files else {}
            self._boxes_of_masks[index] = {name: boxes_of_mask(mask) for name, mask in masks.items()}
        return self._boxes_of_masks[index]

    def _mask_files(self, index: int) -> Files:
        row = self.rows[index]
        return {name: row.masks[name] for name in self.classes if name in row.masks}

    def _masks(self, index: int, undisplaced: PixelGrid, grid: PixelGrid) -> Tensor:
        """(K, H, W) in the pixels of the displaced window of `grid`."""
        row, files = self.rows[index], self._mask_files(index)
        known = image_masks(files, undisplaced, row.mask_frame) if files else {}
        return _masks_KHW(row, self.classes, grid, {name: grid.project(mask) for name, mask in known.items()})


def _warped(sample: Sample, config: WarpConfig, patch_px: int, rng: np.random.Generator) -> Sample:
    """Everything that lies on the window, moved together."""
    image_CHW = sample.image_CHW.numpy()
    shape = image_CHW.shape[-2:]
    matrix = draw(config, shape, rng)
    beyond = [float(image_CHW[0].min()), *[0.0] * (len(image_CHW) - 1)]
    moved = np.stack([warp_image(plane, matrix, value) for plane, value in zip(image_CHW, beyond, strict=True)])
    moved[0] += rng.normal(0, config.noise, shape).astype(np.float32)

    def masks(masks_KHW: Tensor | None) -> Tensor | None:
        if masks_KHW is None:
            return None
        return torch.from_numpy(np.stack([warp_mask(mask, matrix) for mask in masks_KHW.numpy()]))

    corners_P2 = sample.corners_P2
    if corners_P2 is not None:
        centres_P2 = warp_points(corners_P2.numpy() + patch_px / 2, matrix)
        corners_P2 = _corners(centres_P2, patch_px, shape)
    boxes = sample.boxes and {name: warp_boxes(of_class, matrix) for name, of_class in sample.boxes.items()}
    return sample._replace(
        image_CHW=torch.from_numpy(moved),
        corners_P2=corners_P2,
        mask_KHW=masks(sample.mask_KHW),
        boxes=boxes,
        outline_KHW=masks(sample.outline_KHW),
    )


def _corners(centres_P2: NDArray[np.float64], patch_px: int, shape: tuple[int, int]) -> Tensor:
    """Of the patches around these centres, moved into the window."""
    corners_P2 = np.rint(centres_P2 - patch_px / 2).astype(np.int64)
    return torch.from_numpy(np.clip(corners_P2, 0, np.subtract(shape, patch_px)))


def _filled(outlines: Outlines, row: ImageRow, classes: Sequence[str], grid: PixelGrid) -> Tensor:
    """(K, H, W): outlines of this image as masks on the pixels of a displaced window."""
    drawn = {}
    for name in classes:
        if (row.image_id, name) in outlines:
            points = np.floor(grid.to_model(outlines[row.image_id, name])[:, ::-1]).astype(np.int32)
            drawn[name] = cv2.fillPoly(np.zeros(grid.model_shape, np.uint8), [points], 1)
    return _masks_KHW(row, classes, grid, drawn)


def _masks_KHW(row: ImageRow, classes: Sequence[str], grid: PixelGrid, shown: Mapping[str, NDArray[Any]]) -> Tensor:
    """The lesions of the classes that are `shown`; of a class that the image does not show nothing, of others NaN."""
    masks = torch.full((len(classes), *grid.model_shape), torch.nan)
    for k, name in enumerate(classes):
        if name in shown:
            masks[k] = torch.from_numpy(shown[name])
        elif row.labels.get(name) == 0:
            masks[k] = 0
    return masks


def _labels_of(rows: Sequence[ImageRow]) -> dict[str, int]:
    """Positive if one image is, negative if any is known to be and none is positive: what an exam is balanced by."""
    return {name: max(row.labels[name] for row in rows if name in row.labels) for row in rows for name in row.labels}


def batch_of(items: Sequence[Sample] | Sequence[Sequence[Sample]]) -> Batch:
    """The usual way of putting the items of a data set together."""
    units = [[item] if isinstance(item, Sample) else item for item in items]
    samples = [sample for unit in units for sample in unit]
    corners = [s.corners_P2 for s in samples if s.corners_P2 is not None]
    masks = [s.mask_KHW for s in samples if s.mask_KHW is not None]
    outlines = [s.outline_KHW for s in samples if s.outline_KHW is not None]
    boxes = [s.boxes for s in samples if s.boxes is not None]
    features = [s.features for s in samples if s.features is not None]
    alone = isinstance(items[0], Sample)
    return Batch(
        image_BCHW=torch.stack([s.image_CHW for s in samples]),
        label_BK=torch.stack([s.label_K for s in samples]),
        corners_BP2=torch.stack(corners) if corners else None,
        there_UV=None if alone else torch.tensor([[s.row >= 0 for s in unit] for unit in units]),
        mask_BKHW=torch.stack(masks) if masks else None,
        outline_BKHW=torch.stack(outlines) if outlines else None,
        boxes=tuple(boxes) if boxes else None,
        features=torch.stack(features) if features else None,
    )


def rows_of(items: Sequence[Sample] | Sequence[Sequence[Sample]]) -> list[int]:
    """The number of the row of each image of a batch."""
    return [sample.row for item in items for sample in ([item] if isinstance(item, Sample) else item)]


@dataclass(frozen=True)
class Collate:
    """Items -> a batch, and the rows that its images are."""

    own: Callable[[Sequence[Any]], Batch] | None = None
    """A model's own way; None: `batch_of`."""

    def __call__(self, items: Sequence[Any]) -> tuple[Batch, list[int]]:
        return (self.own or batch_of)(items), rows_of(items)
