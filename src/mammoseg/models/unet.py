"""A plain U-Net (nn/unet.py) that learns from lesion masks: what a network reaches that is told where the lesions are.

The score of an image is the mean of the largest values of its map, a fraction top_t of all.

Source   GMIC (Shen et al. 2021, arXiv:2002.07613), Table 4, has a U-Net as the upper bound: Dice 0.504 malignant and 0.412
         benign, PxAP 0.589 and 0.498. Its depth, loss and input resolution are not published, nor is a score of images.
Ours     All of these: maps of half the size of the window, our head and losses (nn/unet.py, nn/loss.py), top_t.
"""

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
