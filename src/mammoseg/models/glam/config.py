"""Every number of GLAM in one place, each with where it comes from. Defaults: the published network."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, field_validator, model_validator

from mammoseg.config import Config
from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.heads import HeadKind
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.nn.unet import UNetShape


class GlobalConfig(Config):
    """The network that sees the whole window."""

    trunk: Literal["resnet22", "efficientnet_lite0"] = "resnet22"
    """ResNet-22 as published, or EfficientNet-Lite0 (nn/efficientnet.py), whose features at strides 8, 16 and 32 make the three
    scales, and of which `widths`, `strides` and `stem_pool` say nothing: our choice for small windows."""
    widths: tuple[Width, Width, Width, Width, Width] = (16, 32, 64, 128, 256)
    """Channels of the five groups. Source: published network."""
    strides: tuple[Stride, Stride, Stride, Stride, Stride] = (1, 2, 2, 2, 2)
    """Stride of each group. A small window keeps the grids (92 x 60 cells and so on) with smaller strides."""
    stem_pool: bool = True
    """Max pool after the stem convolution. Source: published network; off for small windows."""
    heads: HeadKind = "plain"
    """From features to maps: as published, or our own, which place them better (nn/heads.py)."""
    flips: bool = False
    """Outside of training, the mean over the image and its mirror images (nn/flips.py): better placed, in four passes."""
    top_t: float = Field(0.03, gt=0, le=1)
    """Fraction of cells averaged into a prediction. Source: published network."""
    top_t_of: Literal["window", "breast"] = "window"
    """Of which cells: all, as published, or those of the breast, outside of which the maps are 0 then (nn/tissue.py)."""
    scale_weights: tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat] = (0.2, 0.6, 0.2)
    """Weights of S0 (finest), S1 and S2 in the global map; they sum to 1. Source: published network."""
    pool_at: Literal["finest", "native"] = "finest"
    """Grid on which top-t pooling sees S1 and S2: brought to that of S0 first (published software), or their own, as the
    paper's caption reads."""

    @field_validator("scale_weights")
    @classmethod
    def _mean(cls, weights: tuple[float, float, float]) -> tuple[float, float, float]:
        if not math.isclose(sum(weights), 1, abs_tol=1e-6):
            raise ValueError(f"the weights sum to {sum(weights):g}; they must sum to 1, or the map is no probability")
        return weights


class LocalConfig(Config):
    """The high-resolution ResNet that sees patches."""

    blocks: tuple[Blocks, ...] = (3, 4, 6, 3)
    """Basic blocks per group: ResNet-34. Source: published network."""
    widths: tuple[Width, ...] = (64, 128, 256, 512)
    """Channels per group. Source: published network."""
    strides: tuple[Stride, ...] = (1, 1, 1, 1)
    """Stride per group; 1 keeps the grid at a quarter of the patch. Source: published network."""
    stem_pool: bool = True
    """Max pool after the stem convolution. Source: published network; off for small patches."""
    channels_in: Literal[1, 3] = 3
    """Channels the gray patch is expanded to. Source: published network (shape of ImageNet weights)."""
    heads: HeadKind = "plain"
    """From features to maps: as published, or our own (nn/heads.py)."""
    top_t: float = Field(0.3, gt=0, le=1)
    """Fraction of cells averaged into a prediction. Source: published run."""
    aggregation: Literal["concatenation", "attention"] = "attention"
    """How patches become one prediction: top-t % over all maps together, or gated attention. Source: GLAM, Fig. 7."""

    @model_validator(mode="after")
    def _same_length(self) -> "LocalConfig":
        check_groups(self.blocks, self.widths, self.strides)
        return self


class ObjectiveConfig(Config):
    """What only training needs. The paper's search ranges are not public; GMIC's are 10^-5.5 to 10^-3.5 for a sum over cells."""

    global_sparsity: float = Field(1e-4, ge=0)
    """Weight of the L1 norm of each global map."""
    local_sparsity: float = Field(1e-4, ge=0)
    """Weight of the L1 norm of the patch maps."""
    reduction: Literal["sum", "mean"] = "sum"
    """L1 norm as the sum over cells (GMIC, eq. 12) or as their mean, which does not depend on the size of the map."""
    top_t_start: float | None = Field(None, gt=0, le=1)
    """t of the global module at the start of its stage, from where it falls to its `top_t` until the middle of the stage, so that
    the maps form before they become small; None: the same t from the start. Our choice."""
    equivariance: float = Field(0.0, ge=0)
    """Weight, from the middle of the global stage on, of the penalty on global maps that do not move with their image
    (nn/equivariance.py); it rises evenly until then. Costs a second pass over a smaller image. Our choice; 0: as published."""
    num_patches: int = Field(3, ge=1)
    """Patches per image in training. Our choice; the paper's number is not public."""
    patch_jitter: float = Field(0.125, ge=0, le=0.5)
    """Largest random shift of a training patch, as a fraction of its side. Our choice."""
    lesion_radius_px: tuple[PositiveFloat, PositiveFloat] = (43.0, 214.0)
    """Smallest and largest radius of the outlines that the student learns from, in model pixels. Our choice: 3 and 15 mm
    of 0.07 mm pixels."""

    @field_validator("lesion_radius_px")
    @classmethod
    def _radii(cls, radii: tuple[float, float]) -> tuple[float, float]:
        if radii[0] >= radii[1]:
            raise ValueError(f"the smallest radius comes first, got {radii}")
        return radii


class GlamConfig(NetworkConfig):
    """GLAM (Liu et al. 2021, arXiv:2106.07049)."""

    retired: ClassVar[Mapping[str, Any]] = {
        "objective": ...,
        "num_patches_train": ...,
        "patch_jitter": ...,
        "overlap": "last",
    }
    global_module: GlobalConfig = GlobalConfig()
    local_module: LocalConfig = LocalConfig()
    patch_px: int = Field(512, ge=8, le=16_384)
    """Side of a patch in model pixels. Source: published run."""
    num_patches: int = Field(1, ge=1)
    """Patches per image at inference. Source: published run; Fig. 8 compares 1 and 3."""
    fusion: bool = True
    """Whether there is a fusion module. The published model whose parts were trained separately has none."""
    prediction: Literal["global", "local", "fusion", "student"] = "fusion"
    """Which prediction is the model's. The published software reports `global` even for the joint model."""
    combine: Literal["mean", "global", "local", "student"] = "mean"
    """Final map: mean of the local and the global map (published software), or one of them, or that of the student."""
    student: UNetShape | None = None
    """A U-Net that learns in a further stage from outlines grown from the mean of both maps; None: as published, without."""

    @model_validator(mode="after")
    def _has_prediction(self) -> "GlamConfig":
        if self.prediction == "fusion" and not self.fusion:
            raise ValueError("prediction is 'fusion', but there is no fusion module: choose 'global' or 'local'")
        if "student" in (self.prediction, self.combine) and self.student is None:
            raise ValueError(
                "prediction or combine is 'student', but there is no student: set `student`, or choose another"
            )
        return self


TINY = GlamConfig(
    global_module=GlobalConfig(widths=(4, 4, 6, 8, 10), strides=(1, 2, 1, 2, 2), stem_pool=False),
    local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 1), stem_pool=False, channels_in=1),
    patch_px=16,
    num_patches=2,
    combine="student",
    student=UNetShape(widths=(4, 6), top_t=0.01),
)
"""Quick on a window of 96 x 64 pixels."""
