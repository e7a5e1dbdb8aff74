"""RGP and GGP: the few regions of a mammogram that look most malignant stand for the whole of it.

    a(i, j) = w . h(i, j) + b
    group(region) = mean of the largest a in a region
    RGP, region-based group-max pooling   y = sigmoid(mean of the largest group(region) over a grid of regions)
    GGP, global group-max pooling         y = sigmoid(group(image))

Since the layer is linear, it is the same as the layer on the mean features of the chosen places. The map is sigmoid(a).

Source   Shu, Zhang, Li, Lv 2020, "Deep Neural Networks With Region-Based Pooling Structures for Mammographic Image
         Classification", IEEE Trans. Med. Imaging 39(6).
Certain  From the abstract: labels of images only; in the place of the usual pooling the image is divided into regions, and
         the few with a high probability of malignancy represent it; any CNN may be the trunk; INbreast and CBIS-DDSM.
Recalled And not looked up: the two names and what they stand for, a DenseNet-169 as trunk, images of 800 x 800 pixels.
Ours     The formulas above, made from the names and the abstract, since the paper's were not at hand: a grid of 4 x 4 regions
         of which 4 count, the highest 5 % of the places of a region (or of the image); a ResNet-34 as trunk at full
         resolution; several classes, each with its own regions. Numbers of the paper are not to be expected of it.
Shapes   B batch | K class | R regions | h, w cells (92 x 60 at 2944 x 1920)
"""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, NoObjective, Output, Stage, StepOutput
from mammoseg.nn.loss import bce
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.trunk import ResNet34Shape, TrunkModule


class RgpGgpConfig(ResNet34Shape, NetworkConfig):
    """A trunk, a linear layer and a pooling."""

    pooling: Literal["rgp", "ggp"] = "rgp"
    """By regions, or over the whole image."""
    group: float = Field(0.05, gt=0, le=1)
    """Share of the places of a region, with `ggp` of the image, that its mean is of; at least one."""
    grid: tuple[int, int] = (4, 4)
    """Rows and columns of regions, of `rgp`. A map of fewer cells has as many regions as cells."""
    regions: int = Field(4, ge=1)
    """How many of them count, of `rgp`."""

    @model_validator(mode="after")
    def _enough(self) -> "RgpGgpConfig":
        rows, columns = self.grid
        if not (1 <= rows <= 64 and 1 <= columns <= 64 and self.regions <= rows * columns):
            raise ValueError(
                f"a grid of {rows} x {columns} of which {self.regions} regions count; expected 1 to 64 rows and columns, and no "
                "more regions than there are"
            )
        return self


class RgpGgp(TrunkModule, Network):
    def __init__(self, config: RgpGgpConfig) -> None:
        super().__init__(config, gray_as_colour=config.channels_in == 3)
        self.config = config
        self.head = nn.Conv2d(self.features, len(config.classes), 1)

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        a_BKhw = self.head(self.look(image_B1HW)).float()
        return Output(torch.sigmoid(self.pool(a_BKhw)), {"saliency": torch.sigmoid(a_BKhw)})

    def pool(self, a_BKhw: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K"]:
        """From logits of places to logits of images."""
        if self.config.pooling == "ggp":
            return top_t_pool(a_BKhw, self.config.group)
        groups = [top_t_pool(region, self.config.group) for region in _regions(a_BKhw, self.config.grid)]
        group_BKR = torch.stack(groups, dim=-1)
        return group_BKR.topk(min(self.config.regions, len(groups)), dim=-1).values.mean(-1)


def _regions(a_BKhw: Tensor, grid: tuple[int, int]) -> list[Tensor]:
    """Rectangles of whole cells, row by row, as equal as they can be."""
    rows, columns = (min(asked, cells) for asked, cells in zip(grid, a_BKhw.shape[-2:], strict=True))
    return [part for row in a_BKhw.tensor_split(rows, -2) for part in row.tensor_split(columns, -1)]


def step(model: RgpGgp, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    out = model(batch.image_BCHW)
    return StepOutput({"bce": bce(out.y_BK, batch.label_BK)}, out.y_BK, out.maps["saliency"])


def build(config: RgpGgpConfig) -> RgpGgp:
    return RgpGgp(config)


Config = RgpGgpConfig
TINY = RgpGgpConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2))
LEARNING = Learning(stages=(Stage("all", trains=("*",), step=step),))
