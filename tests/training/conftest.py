"""What tests of training share: a run of one epoch per stage."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mammoseg.training.config import TrainConfig


@pytest.fixture
def short(tiny_config: "TrainConfig") -> "TrainConfig":
    """One epoch per stage."""
    stages = {name: stage.model_copy(update={"epochs": 1}) for name, stage in tiny_config.stages.items()}
    return tiny_config.model_copy(update={"stages": stages})
