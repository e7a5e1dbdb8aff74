"""Every number of GMIC in one place, each with where it comes from. Defaults: the published network."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from mammoseg.config import Config
from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.nn.saliency import SaliencyShape


class GlobalConfig(SaliencyShape):
    """The network that sees the whole window."""

    trunk: Literal["resnet22", "resnet", "efficientnet_lite0"] = "resnet22"
    """Source: GMIC, Sec. 2.2; `resnet` is for CBIS-DDSM, as a ResNet-18. EfficientNet-Lite0 is our choice for small windows."""
    blocks: tuple[Blocks, ...] = (2, 2, 2, 2, 2)
    """Blocks per group. Source: published network; (2, 2, 2, 2) is ResNet-18."""
    widths: tuple[Width, ...] = (16, 32, 64, 128, 256)
    """Channels per group. Source: published network."""
    strides: tuple[Stride, ...] = (1, 2, 2, 2, 2)
    """Stride per group. A small window keeps the grid (46 x 30 cells) with smaller strides."""
    top_t: float = Field(0.02, gt=0, le=1)
    """Fraction of cells that `top_t` averages. Source: published model 1; models 2 to 5 have 0.03, 0.03, 0.05, 0.1."""


class LocalConfig(Config):
    """The ResNet that sees patches, and how their features are weighed."""

    blocks: tuple[Blocks, ...] = (2, 2, 2, 2)
    """Blocks per group: ResNet-18. (3, 4, 6, 3) is ResNet-34, with `bottleneck` ResNet-50. Source: published network."""
    bottleneck: bool = False
    """Bottlenecks instead of basic blocks: ResNet-50."""
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    """Channels per group; a bottleneck returns four times as many. Source: published network."""
    strides: tuple[Stride, ...] = (1, 2, 2, 2)
    """Stride per group. Source: published network."""
    stem_pool: bool = True
    """Max pool after the stem convolution. Source: published network; off for small patches."""
    channels_in: Literal[1, 3] = 3
    """Channels the gray patch is expanded to. Source: published network (shape of ImageNet weights)."""
    attention: Literal["gated", "uniform"] = "gated"
    """Weights of the patches. Source: GMIC, eq. 8; uniform is its ablation."""

    @model_validator(mode="after")
    def _groups(self) -> "LocalConfig":
        check_groups(self.blocks, self.widths, self.strides)
        return self


class ObjectiveConfig(Config):
    """Weights of the losses."""

    sparsity: float = Field(3.259162e-6, ge=0)
    """beta of eq. 12. Source: published model 1; the search range was 10^-5.5 to 10^-3.5."""
    reduction: Literal["sum", "mean"] = "sum"
    """L1 norm as the sum over cells (eq. 12) or as their mean, which does not depend on the size of the map."""
    equivariance: float = Field(0.0, ge=0)
    """Weight, from the middle of training on, of the penalty on a map that does not move with its image (nn/equivariance.py); it
    rises evenly until then. Costs a second pass of the global module over a smaller image. Our choice; 0: as published."""


class GmicConfig(NetworkConfig):
    """GMIC (Shen et al. 2021, arXiv:2002.07613)."""

    retired: ClassVar[Mapping[str, Any]] = {"objective": ...}
    global_module: GlobalConfig = GlobalConfig()
    local_module: LocalConfig = LocalConfig()
    heatmaps: bool = False
    """Whether the window has two more channels, heatmaps of a patch classifier for both classes, which only the global
    module sees. Source: GMIC, the variant with heatmaps."""
    patch_px: int = Field(256, ge=8, le=16_384)
    """Side of a patch in model pixels. Source: GMIC, Sec. 3.3."""
    num_patches: int = Field(6, ge=1)
    """K, patches per image. Source: GMIC, Sec. 3.3."""
    rois: Literal["retrieved", "random"] = "retrieved"
    """Patches where the maps are high (Algorithm 1), or anywhere, as in the ablation."""
    prediction: Literal["fusion", "global", "local", "average"] = "fusion"
    """Which prediction is the model's; `average` is the mean of global and local. Source: GMIC, Sec. 2.5 and ablation."""


TINY = GmicConfig(
    global_module=GlobalConfig(blocks=(1, 1, 1), widths=(4, 6, 8), strides=(1, 2, 2), stem_pool=False),
    local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2), stem_pool=False, channels_in=1),
    patch_px=16,
    num_patches=3,
)
"""Quick on a window of 96 x 64 pixels."""
