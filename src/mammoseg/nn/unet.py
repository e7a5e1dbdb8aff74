"""U-Net: the whole window -> a map of half its size for each class.

    stem (stride 2) -> block -> (halve -> block) x n -> (double, skip -> block) x n -> head

Source   Ronneberger et al. 2015 (arXiv:1505.04597), with batch norm, "same" padding, doubling by nearest neighbour, and our head
         of where and what (nn/heads.py) in the place of the last convolution.
Shapes   B batch | K class | H, W pixels of the window | h, w = ceil(H / 2), ceil(W / 2)
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from mammoseg.nn.heads import WhereWhatHead


class UNet(nn.Module):
    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        """`widths`: channels of each level, the finest first."""
        super().__init__()
        self.stem = nn.Conv2d(1, widths[0], 5, stride=2, padding=2)
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise((widths[0], *widths)))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in pairwise(widths[::-1]))
        self.head = WhereWhatHead(widths[0], classes)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B K h w"]:
        fine, *coarser = self.down
        levels = [fine(self.stem(image_B1HW))]
        for block in coarser:
            levels.append(block(max_pool2d(levels[-1], 2, ceil_mode=True)))
        h_BChw = levels.pop()
        for block, skip in zip(self.up, reversed(levels), strict=True):
            doubled = interpolate(h_BChw, size=skip.shape[-2:], mode="nearest")
            h_BChw = block(torch.cat([doubled, skip], dim=1))
        saliency_BKhw: Tensor = self.head(h_BChw).saliency_BKhw
        return saliency_BKhw


def _block(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
