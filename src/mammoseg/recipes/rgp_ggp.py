"""Training runs of region-based and global group-max pooling, each a function that returns the whole configuration."""

from mammoseg.models.rgp_ggp import RgpGgpConfig
from mammoseg.nn.contract import NoObjective
from mammoseg.recipes.gmic import gmic_paper, gmic_small
from mammoseg.training.config import TrainConfig


def rgp_ggp_paper() -> TrainConfig:
    """RGP over 2944 x 1920 windows with a ResNet-34, trained as `gmic_paper` is, to compare with; GGP is --set network.pooling=ggp.

    Command   mammoseg train --recipe rgp_ggp_paper --manifest M --out RUN --device cuda
    """
    paper = gmic_paper()
    own = {"network": RgpGgpConfig(), "objective": NoObjective(), "stages": {"all": paper.stages["joint"]}}
    return paper.model_copy(update={"model": "rgp_ggp", **own})


def rgp_ggp_small() -> TrainConfig:
    """For a laptop: the windows, the grid (46 x 30 cells) and the training of `gmic_small`; GGP is --set network.pooling=ggp.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe rgp_ggp_small --manifest study/manifest.csv --out run
    """
    small = gmic_small()
    network = RgpGgpConfig(blocks=(2, 2, 2, 2), widths=(16, 32, 64, 128), strides=(1, 2, 2, 1), stem_pool=False)
    own = {"network": network, "objective": NoObjective(), "stages": {"all": small.stages["joint"]}}
    return small.model_copy(update={"model": "rgp_ggp", **own})
