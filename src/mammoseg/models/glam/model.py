"""GLAM, the wiring: forward() is one line per box of the paper's Fig. 2.

Source   Liu et al. 2021 (arXiv:2106.07049).
Shapes   B batch | P patches | K class (0 benign, 1 malignant) | H, W pixels | h, w cells of S_g | u, v cells of the final map
"""

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from mammoseg.models.glam.config import GlamConfig
from mammoseg.models.glam.global_module import GlobalModule, GlobalOutput
from mammoseg.models.glam.local_module import LocalModule, LocalOutput
from mammoseg.models.glam.maps import combine_maps, place_patches
from mammoseg.nn.contract import Network, Patches
from mammoseg.nn.fusion import Fusion
from mammoseg.nn.patches import crop_patches, select_patches
from mammoseg.nn.unet import UNet


class GlamOutput(NamedTuple):
    y_BK: Tensor
    """The model's prediction: one of y_global, y_local, y_fusion, y_student, as configured."""
    saliency_BKuv: Tensor
    """The final map."""
    global_: GlobalOutput
    local: LocalOutput
    y_fusion_BK: Tensor | None
    local_saliency_BKuv: Tensor
    """S_l: zero outside the patches."""
    patches: Patches
    """Most salient first."""
    teacher_BKuv: Tensor
    """What the final map is without a student, who has learned from it."""
    y_student_BK: Tensor | None = None

    @property
    def maps(self) -> Mapping[str, Tensor]:
        return {"saliency": self.saliency_BKuv, "global": self.global_.saliency_BKhw, "local": self.local_saliency_BKuv}

    @property
    def parts(self) -> Mapping[str, Tensor]:
        more = {"fusion": self.y_fusion_BK, "student": self.y_student_BK}
        present = {name: y_BK for name, y_BK in more.items() if y_BK is not None}
        return {"global": self.global_.y_BK, "local": self.local.y_BK, **present}


class Glam(Network):
    def __init__(self, config: GlamConfig) -> None:
        super().__init__()
        self.config = config
        classes = len(config.classes)
        self.global_module = GlobalModule(config.global_module, classes)
        self.local_module = LocalModule(config.local_module, classes)
        features = self.global_module.features, self.local_module.features
        self.fusion = Fusion(*features, classes) if config.fusion else None
        self.student = UNet(config.student, classes) if config.student else None

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"], num_patches: int | None = None) -> GlamOutput:
        """Whole windows -> prediction and final map. `num_patches` overrides the configured number."""
        shape = (image_B1HW.shape[-2], image_B1HW.shape[-1])
        coarse = self.global_module(image_B1HW)
        corners_BP2 = self.select(coarse, shape, num_patches or self.config.num_patches)
        fine = self.local_module(self.crop(image_B1HW, corners_BP2))
        y_fusion_BK = self.fuse(coarse, fine)
        local_BKuv = place_patches(fine.maps_BPKmm, corners_BP2, self.config.patch_px, shape)
        teacher_BKuv = combine_maps(coarse.saliency_BKhw, local_BKuv, self.config.combine)
        student = None if self.student is None else self.student(image_B1HW)
        y_student_BK = None if student is None else student.y_BK
        predictions = {"global": coarse.y_BK, "local": fine.y_BK, "fusion": y_fusion_BK, "student": y_student_BK}
        return GlamOutput(
            y_BK=predictions[self.config.prediction],
            saliency_BKuv=student.maps["saliency"] if student and self.config.combine == "student" else teacher_BKuv,
            global_=coarse,
            local=fine,
            y_fusion_BK=y_fusion_BK,
            local_saliency_BKuv=local_BKuv,
            patches=Patches(corners_BP2, self.config.patch_px, fine.y_patch_BPK, fine.attention_BP),
            teacher_BKuv=teacher_BKuv,
            y_student_BK=y_student_BK,
        )

    def predict(self, image_B1HW: Float[Tensor, "B 1 H W"], *there: Tensor) -> Float[Tensor, "B K"]:
        """The prediction of `forward` without what only the maps need: the local module is most of the work."""
        if self.config.prediction == "global":
            return self.global_module(image_B1HW).y_BK
        if self.config.prediction == "student" and self.student is not None:
            return self.student.predict(image_B1HW)
        return self(image_B1HW).y_BK

    def select(self, coarse: GlobalOutput, image_shape: tuple[int, int], num_patches: int) -> Tensor:
        """Corners (B, P, 2) of the most salient patches."""
        return select_patches(coarse.saliency_BKhw, image_shape, self.config.patch_px, num_patches)

    def crop(self, image_B1HW: Tensor, corners_BP2: Tensor) -> Tensor:
        """The patches (B, P, 1, s, s) at the given corners."""
        return crop_patches(image_B1HW, corners_BP2, self.config.patch_px)

    def fuse(self, coarse: GlobalOutput, fine: LocalOutput) -> Tensor | None:
        """y_fusion (B, K), if there is a fusion module."""
        return None if self.fusion is None else self.fusion(coarse.z_BC, fine.z_BC)
