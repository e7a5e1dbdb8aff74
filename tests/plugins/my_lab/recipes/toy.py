"""Training runs of a lab."""

from mammoseg.recipes.gmic import gmic_small
from mammoseg.training.config import TrainConfig


def quick_gmic() -> TrainConfig:
    """`gmic_small` with a single epoch, to see whether everything runs.

    Command   mammoseg train --recipe my_lab.recipes.toy --manifest M --out RUN
    """
    recipe = gmic_small()
    once = recipe.stages["joint"].model_copy(update={"epochs": 1})
    return recipe.model_copy(update={"stages": {"joint": once}})
