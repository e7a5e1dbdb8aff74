"""Training runs of the ResNet with a 1x1 convolution, each a function that returns the whole configuration."""

from mammoseg.models.resnet_1x1 import ObjectiveConfig, ResNet1x1Config
from mammoseg.recipes.gmic import gmic_paper, gmic_small
from mammoseg.training.config import TrainConfig


def resnet_1x1_paper() -> TrainConfig:
    """ResNet-34-1x1 over 2944 x 1920 windows, trained as `gmic_paper` is. t and beta of the paper's best are not public: it
    searched (docs/how-to/paper.md), here over network.top_t, objective.sparsity and stages.all.learning_rate.

    Command   mammoseg train --recipe resnet_1x1_paper --manifest M --out RUN --device cuda
    """
    paper = gmic_paper()
    own = {"network": ResNet1x1Config(), "objective": ObjectiveConfig(), "stages": {"all": paper.stages["joint"]}}
    return paper.model_copy(update={"model": "resnet_1x1", **own})


def resnet_1x1_small() -> TrainConfig:
    """For a laptop: the windows, the grid (46 x 30 cells), the sparsity and the training of `gmic_small`.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe resnet_1x1_small --manifest study/manifest.csv --out run
    """
    small = gmic_small()
    network = ResNet1x1Config(
        blocks=(2, 2, 2, 2), widths=(16, 32, 64, 128), strides=(1, 2, 2, 1), stem_pool=False, top_t=0.05
    )
    objective = ObjectiveConfig(sparsity=0.01, reduction="mean")
    own = {"network": network, "objective": objective, "stages": {"all": small.stages["joint"]}}
    return small.model_copy(update={"model": "resnet_1x1", **own})
