"""References that learn nothing, each a function that returns the whole configuration. `train` prepares the images and leaves a
checkpoint, so that they predict and are evaluated like any model."""

from mammoseg.models.reference import ReferenceConfig
from mammoseg.recipes.gmic import gmic_paper, gmic_small
from mammoseg.training.config import TrainConfig


def reference_paper() -> TrainConfig:
    """What no network should fall behind, on the windows of `gmic_paper`: --set network.kind=random, brightness, contrast or
    convergence.

    Command   mammoseg train --recipe reference_paper --manifest M --out RUN --set network.kind=random
    """
    paper = gmic_paper()
    return TrainConfig(model="reference", network=ReferenceConfig(), prep=paper.prep, chronological=paper.chronological)


def reference_small() -> TrainConfig:
    """The same on the windows of `gmic_small`.

    Command   mammoseg phantom --exams 600 --out study
              mammoseg train --recipe reference_small --manifest study/manifest.csv --out run --set network.kind=random
    """
    small = gmic_small()
    return TrainConfig(model="reference", network=ReferenceConfig(cell_px=1), prep=small.prep, augment=small.augment)
