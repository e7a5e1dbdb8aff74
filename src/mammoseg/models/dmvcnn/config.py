"""Every number of DMV-CNN in one place, each with where it comes from. Defaults: the published view-wise network."""

from typing import Literal

from pydantic import Field, model_validator

from mammoseg.config import Config
from mammoseg.nn.contract import NetworkConfig
from mammoseg.nn.limits import Blocks, Stride, Width, check_groups
from mammoseg.prep.config import Window
from mammoseg.prep.projection import Projection, check_each

WINDOWS: dict[Projection, Window] = {"CC": (2677, 1942), "MLO": (2974, 1748)}
"""Rows and columns. Source: Wu et al. 2019, released software."""


class ObjectiveConfig(Config):
    """What only training needs."""

    noise: float = Field(0.01, ge=0)
    """Deviation of the Gaussian noise that is added to all channels in training. Source: released software."""


class DmvCnnConfig(NetworkConfig):
    """DMV-CNN (Wu et al. 2019, arXiv:1903.08297)."""

    fusion: Literal["view_wise", "image_wise"] = "view_wise"
    """Which views a head sees: both of a projection, left and right, the paper's main model; or one, the model that was released
    for transfer learning."""
    heatmaps: bool = False
    """Whether the window has two more channels, heatmaps of a patch classifier for both classes. Source: paper."""
    windows: dict[Projection, Window] = Field(default_factory=lambda: dict(WINDOWS))
    """Of CC and of MLO, as they are prepared: `prep.windows` has to be the same."""
    blocks: tuple[Blocks, ...] = (2, 2, 2, 2, 2)
    """Blocks per group of each ResNet-22. Source: paper, Fig. 3."""
    widths: tuple[Width, ...] = (16, 32, 64, 128, 256)
    """Channels per group. Source: paper, Fig. 3."""
    strides: tuple[Stride, ...] = (1, 2, 2, 2, 2)
    """Stride per group. Source: paper, Fig. 3."""
    stem_pool: bool = True
    """Max pool after the stem convolution. Source: paper; off for small windows."""
    stem_padding: int = Field(0, ge=0, le=3)
    """Pixels around the window that the stem convolution sees as zeros. Source: released software."""

    @model_validator(mode="after")
    def _parts(self) -> "DmvCnnConfig":
        check_groups(self.blocks, self.widths, self.strides)
        check_each(self.windows)
        return self


TINY = DmvCnnConfig(
    windows={"CC": (88, 64), "MLO": (96, 56)}, blocks=(1, 1, 1), widths=(4, 6, 8), strides=(1, 2, 2), stem_pool=False
)
"""Quick on windows of 96 x 64 pixels, in whose corner its own lie."""
