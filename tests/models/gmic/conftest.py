"""A GMIC small enough for tests, with published proportions: 96 x 64 windows of 12 x 8 cells, patches of two cells."""

from collections.abc import Callable

import pytest
import torch

from mammoseg.config import with_overrides
from mammoseg.models.gmic.config import GlobalConfig, GmicConfig, LocalConfig
from mammoseg.models.gmic.model import Gmic
from mammoseg.nn.contract import Batch

WINDOW = (96, 64)


@pytest.fixture
def config() -> GmicConfig:
    return GmicConfig(
        global_module=GlobalConfig(blocks=(1, 1, 1), widths=(4, 6, 10), strides=(1, 2, 2), stem_pool=False, top_t=0.1),
        local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 2), stem_pool=False, channels_in=1),
        patch_px=16,
        num_patches=3,
    )


@pytest.fixture
def build(config: GmicConfig) -> Callable[..., Gmic]:
    """`build("rois=random", ...)` is the small model with these settings, in eval mode; always the same weights."""

    def build_model(*sets: str) -> Gmic:
        torch.manual_seed(0)
        return Gmic(with_overrides(config, sets=sets)).eval()

    return build_model


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(1)
    labels = torch.tensor([[0.0, 1.0], [1.0, 0.0], [float("nan"), 1.0], [0.0, 0.0]])
    return Batch(torch.randn(4, 1, *WINDOW), labels)
