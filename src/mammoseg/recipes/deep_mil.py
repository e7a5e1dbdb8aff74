"""Training runs of Deep MIL, each a function that returns the whole configuration."""

from mammoseg.models.deep_mil import DeepMilConfig, ObjectiveConfig
from mammoseg.recipes.gmic import gmic_paper, gmic_small
from mammoseg.training.config import TrainConfig


def deep_mil_paper() -> TrainConfig:
    """Deep MIL over 2944 x 1920 windows with a ResNet-34, trained as `gmic_paper` is, to compare with: the paper's own setting is
    an AlexNet over 227 x 227 pixels. The scheme is --set objective.scheme=max, label_assignment or sparse.

    Command   mammoseg train --recipe deep_mil_paper --manifest M --out RUN --device cuda
    """
    paper = gmic_paper()
    own = {"network": DeepMilConfig(), "objective": ObjectiveConfig(), "stages": {"all": paper.stages["joint"]}}
    return paper.model_copy(update={"model": "deep_mil", **own})


def deep_mil_small() -> TrainConfig:
    """For a laptop: the windows, the grid (46 x 30 cells) and the training of `gmic_small`.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe deep_mil_small --manifest study/manifest.csv --out run
    """
    small = gmic_small()
    network = DeepMilConfig(blocks=(2, 2, 2, 2), widths=(16, 32, 64, 128), strides=(1, 2, 2, 1), stem_pool=False)
    own = {"network": network, "objective": ObjectiveConfig(), "stages": {"all": small.stages["joint"]}}
    return small.model_copy(update={"model": "deep_mil", **own})
