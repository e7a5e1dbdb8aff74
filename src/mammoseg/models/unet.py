"""A plain U-Net that learns from lesion masks: what a network reaches that is told where the lesions are.

    y = top-t(S)

Shapes   B batch | K class | H, W pixels | h, w cells of the map, half of the window
"""

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate

from mammoseg.nn.contract import Batch, Learning, Network, NetworkConfig, NoObjective, Output, Stage, StepOutput
from mammoseg.nn.flips import mirrored
from mammoseg.nn.limits import Width
from mammoseg.nn.loss import segmentation_losses
from mammoseg.nn.pooling import top_t_pool
from mammoseg.nn.unet import UNet


class UNetConfig(NetworkConfig):
    """As small as the student of GLAM."""

    widths: tuple[Width, ...] = Field((16, 32, 64, 128, 128), min_length=2)
    """Channels of each level, the finest (half of the window's size) first."""
    top_t: float = Field(0.002, gt=0, le=1)
    """Fraction of the pixels averaged into the prediction."""


class Segmenter(Network):
    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(config.widths, len(config.classes))

    def forward(self, image_B1HW: Float[Tensor, "B 1 H W"]) -> Output:
        S_BKhw = self.unet(image_B1HW)
        return Output(top_t_pool(S_BKhw, self.config.top_t), {"saliency": S_BKhw})


def masks_step(model: Segmenter, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    """Pixels of unknown truth do not count."""
    if batch.mask_BKHW is None:
        raise TypeError("a model that learns from masks needs batches with them")
    image_B1HW, mask_BKHW = batch.image_BCHW, batch.mask_BKHW
    if training:
        image_B1HW, mask_BKHW = mirrored(image_B1HW, mask_BKHW)
    out = model(image_B1HW)
    S_BKhw = out.maps["saliency"]
    truth_BKhw = interpolate(mask_BKHW, size=S_BKhw.shape[-2:], mode="area")
    return StepOutput(segmentation_losses(S_BKhw, out.y_BK, truth_BKhw, batch.label_BK), out.y_BK, S_BKhw)


Config, build, TINY = UNetConfig, Segmenter, UNetConfig(widths=(4, 6), top_t=0.01)
LEARNING = Learning(stages=(Stage("masks", trains=("*",), step=masks_step),), learns_from=("labels", "masks"))
