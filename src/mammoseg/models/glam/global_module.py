"""Global module: the whole window -> three saliency maps, their weighted mean and three predictions.

    S_n = sigmoid(conv1x1(h_n)),   S_g = 0.2 S_0 + 0.6 S_1 + 0.2 S_2,   y_n = top-t(S_n),   y_g = (y_0 + y_1 + y_2) / 3

Source   Liu et al. 2021 (arXiv:2106.07049), Fig. 2. The coarser maps are brought to the finest grid by nearest neighbour, and
         pooled there. h_0 and h_1 are raw residual sums, h_2 has passed the final batch norm and ReLU.
Shapes   B batch | K class | H, W pixels | h, w cells of the finest map (184 x 120 at 2944 x 1920) | C channels of h_2
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mammoseg.models.glam.config import GlobalConfig
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.resnet22 import ResNet22


class GlobalOutput(NamedTuple):
    scales: tuple[Tensor, Tensor, Tensor]
    """S_0, S_1, S_2, each (B, K, h, w)."""
    y_scales: tuple[Tensor, Tensor, Tensor]
    """y_0, y_1, y_2, each (B, K)."""
    saliency_BKhw: Tensor
    """S_g."""
    y_BK: Tensor
    z_BC: Tensor
    """Maximum of h_2 over space, for the fusion."""


class GlobalModule(nn.Module):
    def __init__(self, config: GlobalConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = ResNet22(config.widths, config.strides, stem_pool=config.stem_pool)
        self.heads = nn.ModuleList(nn.Conv2d(width, classes, 1, bias=False) for width in config.widths[2:])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)  # as the published software starts

    @property
    def features(self) -> int:
        return self.config.widths[-1]

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> GlobalOutput:
        *_, h0, h1, _, h2 = self.trunk(image_B1HW)
        logits = [head(h) for head, h in zip(self.heads, (h0, h1, h2), strict=True)]
        native = [torch.sigmoid(x.float()) for x in logits]
        S0, S1, S2 = (interpolate(S, size=native[0].shape[-2:], mode="nearest") for S in native)
        pooled = native if self.config.pool_at == "native" else (S0, S1, S2)
        y0, y1, y2 = (top_t_pool(S, self.config.top_t) for S in pooled)
        w0, w1, w2 = self.config.scale_weights
        return GlobalOutput(
            scales=(S0, S1, S2),
            y_scales=(y0, y1, y2),
            saliency_BKhw=w0 * S0 + w1 * S1 + w2 * S2,
            y_BK=(y0 + y1 + y2) / 3,
            z_BC=h2.amax((-2, -1)),
        )
