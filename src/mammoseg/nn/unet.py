"""U-Net: the whole window -> a map of half its size for each class, and a prediction. How it learns from outlines of lesions.

    stem (stride 2) -> block -> (halve -> block) x n -> (double, skip -> block) x n -> head = S,   y = top-t(S)

Source   Ronneberger et al. 2015 (arXiv:1505.04597), with batch norm, "same" padding, doubling by nearest neighbour, and our head
         of where and what (nn/heads.py) in the place of the last convolution.
Shapes   B batch | K class | H, W pixels of the window | h, w = ceil(H / 2), ceil(W / 2)
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from mammoseg.config import Config
from mammoseg.nn.contract import Network, Output, StepOutput
from mammoseg.nn.flips import mirrored
from mammoseg.nn.heads import WhereWhatHead
from mammoseg.nn.limits import Width
from mammoseg.nn.loss import segmentation_losses
from mammoseg.nn.pooling import top_t_pool


class UNetShape(Config):
    """What decides a U-Net's prediction."""

    widths: tuple[Width, ...] = Field((16, 32, 64, 128, 128), min_length=2)
    """Channels of each level, the finest (half of the window's size) first."""
    top_t: float = Field(0.002, gt=0, le=1)
    """Fraction of the pixels averaged into the prediction."""


class UNet(Network):
    def __init__(self, shape: UNetShape, classes: int) -> None:
        super().__init__()
        self.top_t, widths = shape.top_t, shape.widths
        self.stem = nn.Conv2d(1, widths[0], 5, stride=2, padding=2)
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise((widths[0], *widths)))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in pairwise(widths[::-1]))
        self.head = WhereWhatHead(widths[0], classes)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        fine, *coarser = self.down
        levels = [fine(self.stem(image_B1HW))]
        for block in coarser:
            levels.append(block(max_pool2d(levels[-1], 2, ceil_mode=True)))
        h_BChw = levels.pop()
        for block, skip in zip(self.up, reversed(levels), strict=True):
            doubled = interpolate(h_BChw, size=skip.shape[-2:], mode="nearest")
            h_BChw = block(torch.cat([doubled, skip], dim=1))
        S_BKhw = self.head(h_BChw).saliency_BKhw
        return Output(top_t_pool(S_BKhw, self.top_t), {"saliency": S_BKhw})


def _block(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


def segmentation_step(
    unet: UNet,
    image_B1HW: Float[Tensor, "B 1 H W"],
    mask_BKHW: Float[Tensor, "B K H W"],
    label_BK: Float[Tensor, "B K"],
    training: bool,
) -> StepOutput:
    """Masks are 0, 1 or NaN (unknown, does not count). In training, images and masks are mirrored by chance."""
    if training:
        image_B1HW, mask_BKHW = mirrored(image_B1HW, mask_BKHW)
    out = unet(image_B1HW)
    S_BKhw = out.maps["saliency"]
    truth_BKhw = interpolate(mask_BKHW, size=S_BKhw.shape[-2:], mode="area")
    return StepOutput(segmentation_losses(S_BKhw, out.y_BK, truth_BKhw, label_BK), out.y_BK, S_BKhw)
