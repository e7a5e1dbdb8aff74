"""A plain U-Net (nn/unet.py) that learns from lesion masks: what a network reaches that is told where the lesions are."""

from mammoseg.nn.contract import Batch, Learning, NetworkConfig, NoObjective, Stage, StepOutput
from mammoseg.nn.unet import UNet, UNetShape, segmentation_step


class UNetConfig(UNetShape, NetworkConfig):
    """As small as the student of GLAM."""


def build(config: UNetConfig) -> UNet:
    return UNet(config, len(config.classes))


def masks_step(model: UNet, batch: Batch, objective: NoObjective, training: bool) -> StepOutput:
    if batch.mask_BKHW is None:
        raise TypeError("a model that learns from masks needs batches with them")
    return segmentation_step(model, batch.image_BCHW, batch.mask_BKHW, batch.label_BK, training)


Config, TINY = UNetConfig, UNetConfig(widths=(4, 6), top_t=0.01)
LEARNING = Learning(stages=(Stage("masks", trains=("*",), step=masks_step),), learns_from=("labels", "masks"))
