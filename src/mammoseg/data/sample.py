"""One image as the network is to see it, with what is known of it.

Shapes   C channel (the mammogram, then its heatmaps if the cache has them) | K class | H, W window pixels | P patches
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from mammoseg.data.boxes import Boxes


class Sample(NamedTuple):
    """One image, ready for the network. Of several windows (`PrepConfig.windows`) each lies in the upper left corner of planes of
    one size."""

    image_CHW: Tensor
    label_K: Tensor
    """0, 1 or NaN (unknown)."""
    corners_P2: Tensor | None
    row: int
    """Its number among the rows of the data set; -1: a view that is not there, black and unknown."""
    mask_KHW: Tensor | None = None
    """0, 1 or NaN; None: not wanted."""
    boxes: Boxes | None = None
    """Class -> boxes in pixels of the window; None: not wanted."""
    outline_KHW: Tensor | None = None
    """Outlines that an earlier stage has drawn, filled: 0, 1 or NaN; None: not wanted."""
    features: Tensor | None = None
    """What a frozen part of the model says of the undisplaced window; None: not wanted."""


def on_canvas(sample: Sample, canvas: tuple[int, int]) -> Sample:
    """With nothing below the window and on its right, and nothing known there, as far as the largest window."""
    below, right = (whole - side for whole, side in zip(canvas, sample.image_CHW.shape[-2:], strict=True))
    if not below and not right:
        return sample

    def padded(plane: Tensor | None, value: float) -> Tensor | None:
        return None if plane is None else pad(plane, (0, right, 0, below), value=value)

    return sample._replace(
        image_CHW=pad(sample.image_CHW, (0, right, 0, below)),
        mask_KHW=padded(sample.mask_KHW, torch.nan),
        outline_KHW=padded(sample.outline_KHW, torch.nan),
    )


def nothing_like(sample: Sample) -> Sample:
    """A view that is not there."""
    return Sample(
        torch.zeros_like(sample.image_CHW),
        torch.full_like(sample.label_K, torch.nan),
        None if sample.corners_P2 is None else torch.zeros_like(sample.corners_P2),
        -1,
        None if sample.mask_KHW is None else torch.full_like(sample.mask_KHW, torch.nan),
        None if sample.boxes is None else {},
        None if sample.outline_KHW is None else torch.full_like(sample.outline_KHW, torch.nan),
        None if sample.features is None else torch.zeros_like(sample.features),
    )
