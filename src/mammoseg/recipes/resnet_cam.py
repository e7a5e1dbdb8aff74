"""Training runs of the classifier on mean features, each a function that returns the whole configuration."""

from mammoseg.models.resnet_cam import ResNetCamConfig
from mammoseg.nn.contract import NoObjective
from mammoseg.recipes.gmic import gmic_paper, gmic_small
from mammoseg.training.config import TrainConfig


def resnet_cam_paper() -> TrainConfig:
    """ResNet-34 over 2944 x 1920 windows, trained as `gmic_paper` is: the paper's search was the same for all of its networks.

    From random weights; from those of ImageNet with --set pretrained.trunk=FILE.

    Command   mammoseg train --recipe resnet_cam_paper --manifest M --out RUN --device cuda
    """
    paper = gmic_paper()
    own = {"network": ResNetCamConfig(), "objective": NoObjective(), "stages": {"all": paper.stages["joint"]}}
    return paper.model_copy(update={"model": "resnet_cam", **own})


def resnet22_cam_paper() -> TrainConfig:
    """`resnet_cam_paper` with a ResNet-22, the trunk of GMIC and GLAM: what these add to plain pooling. Maps have 46 x 30 cells.

    Command   mammoseg train --recipe resnet22_cam_paper --manifest M --out RUN --device cuda
    """
    network = ResNetCamConfig(
        trunk="resnet22", blocks=(2, 2, 2, 2, 2), widths=(16, 32, 64, 128, 256), strides=(1, 2, 2, 2, 2)
    )
    return resnet_cam_paper().model_copy(update={"network": network})


def resnet_cam_small() -> TrainConfig:
    """For a laptop: the windows, the grid (46 x 30 cells) and the training of `gmic_small`, from random weights.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe resnet_cam_small --manifest study/manifest.csv --out run
    """
    small = gmic_small()
    network = ResNetCamConfig(blocks=(2, 2, 2, 2), widths=(16, 32, 64, 128), strides=(1, 2, 2, 1), stem_pool=False)
    own = {"network": network, "objective": NoObjective(), "stages": {"all": small.stages["joint"]}}
    return small.model_copy(update={"model": "resnet_cam", **own})
