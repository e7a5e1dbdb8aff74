"""A GLAM small enough for tests, with published proportions: 96 x 64 windows, S_g of 24 x 16 cells, patches of 16 pixels."""

import pytest
import torch

from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig
from mammoseg.models.glam.model import Glam
from mammoseg.nn.contract import Batch

WINDOW = (96, 64)


@pytest.fixture
def config() -> GlamConfig:
    return GlamConfig(
        global_module=GlobalConfig(widths=(4, 4, 6, 8, 10), strides=(1, 2, 1, 2, 2), stem_pool=False),
        local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 1), stem_pool=False, channels_in=1),
        patch_px=16,
        num_patches=2,
    )


@pytest.fixture
def model(config: GlamConfig) -> Glam:
    torch.manual_seed(0)
    return Glam(config)


@pytest.fixture
def where_what(config: GlamConfig) -> Glam:
    """The same with heads that say where and what apart, in both modules."""
    torch.manual_seed(0)
    heads = {"heads": "where_what"}
    return Glam(
        config.model_copy(
            update={
                "global_module": config.global_module.model_copy(update=heads),
                "local_module": config.local_module.model_copy(update=heads),
            }
        )
    )


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(1)
    labels = torch.tensor([[0.0, 1.0], [1.0, 0.0], [float("nan"), 1.0], [0.0, 0.0]])
    return Batch(torch.randn(4, 1, *WINDOW), labels)
