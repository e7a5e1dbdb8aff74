"""Every number of the patch classifier in one place, each with where it comes from. Defaults: the published network."""

from typing import Literal

from pydantic import Field, model_validator

from mammoseg.config import Config
from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.limits import MOST_GROUPS, Blocks, Width


class PatchDenseNetConfig(NetworkConfig):
    """A DenseNet on patches (Wu et al. 2019, arXiv:1903.08297)."""

    blocks: tuple[Blocks, ...] = Field((6, 12, 24, 16), min_length=1, max_length=MOST_GROUPS)
    """Layers of each dense block: DenseNet-121. Source: published network."""
    growth: Width = 32
    """Channels that a layer adds. Source: published network."""
    stem_width: Width = 64
    """Channels of the first convolution. Source: published network."""
    stem_pool: bool = True
    """Max pool after the first convolution. Source: published network; off for small patches."""
    channels_in: Literal[1, 3] = 3
    """Channels the gray patch is expanded to. Source: published network (shape of ImageNet weights)."""
    patch_px: int = Field(256, ge=8, le=16_384)
    """Side of a patch in model pixels. Source: published software."""
    stride_px: int = Field(70, ge=1, le=16_384)
    """Nominal stride of the walk (nn/walk.py), in model pixels. Source: published software."""

    @model_validator(mode="after")
    def _no_gaps(self) -> "PatchDenseNetConfig":
        if self.stride_px > self.patch_px:
            raise ValueError(
                f"stride_px {self.stride_px} is more than patch_px {self.patch_px}: no patch would see what lies between"
            )
        if self.stem_width // 2 ** (len(self.blocks) - 1) < 1:
            raise ValueError(f"stem_width {self.stem_width} is halved to nothing between {len(self.blocks)} blocks")
        return self


class ObjectiveConfig(Config):
    """Which patches are learned from. Not published: ours."""

    patches: int = Field(8, ge=1, le=1000)
    """Patches drawn from each window in each step."""
    lesions: float = Field(0.5, ge=0, le=1)
    """Share of them that are centred in a lesion, in windows that show one."""


TINY = PatchDenseNetConfig(
    blocks=(1, 1), growth=4, stem_width=8, stem_pool=False, channels_in=1, patch_px=16, stride_px=8
)
"""Quick on a window of 96 x 64 pixels."""
