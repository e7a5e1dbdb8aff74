"""Global module: the whole window -> three saliency maps, their weighted mean and three predictions.

    S_n = head_n(h_n),   S_g = 0.2 S_0 + 0.6 S_1 + 0.2 S_2,   y_n = top-t(S_n),   y_g = (y_0 + y_1 + y_2) / 3

Source   Liu et al. 2021 (arXiv:2106.07049), Fig. 2. The coarser maps are brought to the finest grid by nearest neighbour, and
         pooled there. h_0 and h_1 are raw residual sums, h_2 has passed the final batch norm and ReLU.
Shapes   B batch | K class | H, W pixels | h, w cells of the finest map (184 x 120 at 2944 x 1920) | C channels of h_2
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from mammoseg.models.glam.config import GlobalConfig
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.flips import mean_over_flips
from mammoseg.nn.heads import make_head
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.resnet22 import ResNet22
from mammoseg.nn.tissue import breast_cells


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
    y_finding_scales: tuple[Tensor, ...] = ()
    """Predictions (B, 1) of a finding of any class, of heads that have a map of it; else none."""


class GlobalModule(nn.Module):
    def __init__(self, config: GlobalConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.trunk: ResNet22 | EfficientNetLite0
        if config.trunk == "resnet22":
            self.trunk = ResNet22(config.widths, config.strides, stem_pool=config.stem_pool)
            self.widths = config.widths[2:]
        else:
            self.trunk, self.widths = EfficientNetLite0(channels_in=1), EfficientNetLite0.WIDTHS
        self.heads = nn.ModuleList(make_head(config.heads, width, classes) for width in self.widths)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)  # as the published software starts

    @property
    def features(self) -> int:
        return self.widths[-1]

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"], top_t: float | None = None) -> GlobalOutput:
        """`top_t` overrides the configured fraction."""
        if self.config.flips and not self.training:
            return mean_over_flips(lambda image: self._seen(image, top_t), image_B1HW)
        return self._seen(image_B1HW, top_t)

    def _seen(self, image_B1HW: Tensor, top_t: float | None) -> GlobalOutput:
        t = top_t or self.config.top_t
        h0, h1, h2 = self._features(image_B1HW)
        native = [head(h) for head, h in zip(self.heads, (h0, h1, h2), strict=True)]
        finest = [maps.on_grid(native[0].saliency_BKhw) for maps in native]
        inside_B1hw = self._breast(image_B1HW, native[0].saliency_BKhw)
        S0, S1, S2 = (_within(maps.saliency_BKhw, inside_B1hw) for maps in finest)
        pooled, cells = finest, [inside_B1hw] * len(finest)
        if self.config.pool_at == "native":
            pooled, cells = native, [self._breast(image_B1HW, maps.saliency_BKhw) for maps in native]
        y0, y1, y2 = (_pool(maps.saliency_BKhw, t, own) for maps, own in zip(pooled, cells, strict=True))
        w0, w1, w2 = self.config.scale_weights
        return GlobalOutput(
            scales=(S0, S1, S2),
            y_scales=(y0, y1, y2),
            saliency_BKhw=w0 * S0 + w1 * S1 + w2 * S2,
            y_BK=(y0 + y1 + y2) / 3,
            z_BC=h2.amax((-2, -1)),
            y_finding_scales=tuple(
                _pool(maps.finding_B1hw, t, own)
                for maps, own in zip(pooled, cells, strict=True)
                if maps.finding_B1hw is not None
            ),
        )

    def _features(self, image_B1HW: Tensor) -> list[Tensor]:
        """h_0, h_1 and h_2."""
        features: list[Tensor] = self.trunk(image_B1HW)
        return features if self.config.trunk == "efficientnet_lite0" else [*features[2:4], features[-1]]

    def _breast(self, image_B1HW: Tensor, like_BKhw: Tensor) -> Tensor | None:
        """The cells (B, 1, h, w) of the breast on the grid of a map; None: all of the window count."""
        if self.config.top_t_of == "window":
            return None
        return breast_cells(image_B1HW, (like_BKhw.shape[-2], like_BKhw.shape[-1]))


def _within(S_BKhw: Tensor, cells_B1hw: Tensor | None) -> Tensor:
    return S_BKhw if cells_B1hw is None else S_BKhw * cells_B1hw


def _pool(S_BKhw: Tensor, t: float, cells_B1hw: Tensor | None) -> Tensor:
    return top_t_pool(_within(S_BKhw, cells_B1hw), t, cells_B1hw)
