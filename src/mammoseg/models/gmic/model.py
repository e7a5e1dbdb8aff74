"""GMIC, the wiring: forward() is one line per box of the paper's Fig. 3.

Source   Shen et al. 2021 (arXiv:2002.07613).
Shapes   B batch | C image channels | P patches | K class | H, W pixels | h, w cells of the saliency map
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mammoseg.models.gmic.config import GmicConfig
from mammoseg.models.gmic.global_module import GlobalModule, GlobalOutput
from mammoseg.models.gmic.local_module import LocalModule, LocalOutput
from mammoseg.nn.contract import Network, Patches
from mammoseg.nn.fusion import Fusion
from mammoseg.nn.patches import crop_patches, random_corners, select_patches


class GmicOutput(NamedTuple):
    y_BK: Tensor
    """The model's prediction: one of the three, or the mean of two, as configured."""
    global_: GlobalOutput
    local: LocalOutput
    y_fusion_BK: Tensor
    patches: Patches
    """Most salient first."""

    @property
    def maps(self) -> Mapping[str, Tensor]:
        return {"saliency": self.global_.saliency_BKhw}

    @property
    def parts(self) -> Mapping[str, Tensor]:
        return {"global": self.global_.y_BK, "local": self.local.y_BK, "fusion": self.y_fusion_BK}


class Gmic(Network):
    def __init__(self, config: GmicConfig) -> None:
        super().__init__()
        self.config = config
        classes = len(config.classes)
        self.global_module = GlobalModule(config.global_module, classes, 3 if config.heatmaps else 1)
        self.local_module = LocalModule(config.local_module, classes)
        self.fusion = Fusion(self.global_module.features, self.local_module.features, classes)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> GmicOutput:
        """Whole windows, channel 0 the mammogram -> prediction and saliency map."""
        coarse = self.global_module(image_BCHW)
        corners_BP2 = self.select(coarse, image_BCHW)
        fine = self.local_module(self.crop(image_BCHW, corners_BP2))
        return self.fuse(coarse, fine, corners_BP2)

    def predict(self, image_BCHW: Float[Tensor, "B C H W"], *there: Tensor) -> Float[Tensor, "B K"]:
        """The prediction of `forward` without what only the figures need."""
        if self.config.prediction == "global":
            return self.global_module(image_BCHW).y_BK
        return self(image_BCHW).y_BK

    def select(self, coarse: GlobalOutput, image_BCHW: Tensor) -> Tensor:
        """Corners (B, P, 2) of the most salient patches, or of random ones."""
        shape = (image_BCHW.shape[-2], image_BCHW.shape[-1])
        if self.config.rois == "random":
            return random_corners(image_BCHW, self.config.patch_px, self.config.num_patches, self.training)
        return select_patches(coarse.saliency_BKhw, shape, self.config.patch_px, self.config.num_patches)

    def crop(self, image_BCHW: Tensor, corners_BP2: Tensor) -> Tensor:
        """The patches (B, P, 1, s, s) of the mammogram at the given corners."""
        return crop_patches(image_BCHW[:, :1], corners_BP2, self.config.patch_px)

    def fuse(self, coarse: GlobalOutput, fine: LocalOutput, corners_BP2: Tensor) -> GmicOutput:
        """Everything from what both modules saw."""
        y_fusion_BK = self.fusion(coarse.z_BD, fine.z_BC)
        predictions = {
            "fusion": y_fusion_BK,
            "global": coarse.y_BK,
            "local": fine.y_BK,
            "average": torch.stack([coarse.y_BK, fine.y_BK]).mean(0),
        }
        patches = Patches(corners_BP2, self.config.patch_px, fine.y_patch_BPK, fine.attention_BP)
        return GmicOutput(predictions[self.config.prediction], coarse, fine, y_fusion_BK, patches)
