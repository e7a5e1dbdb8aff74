"""EfficientNet-Lite0: published size, grids, and the same after folding."""

import copy

import pytest
import torch
from torch import nn

from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.inference import fold_batch_norms

PUBLISHED = 4_652_008
"""Parameters of the whole network; TensorFlow's description says 4.7 million."""
LAST, CLASSIFIER = 320 * 1280 + 2 * 1280, 1280 * 1000 + 1000


def test_has_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        trunk = EfficientNetLite0()
    assert sum(p.numel() for p in trunk.parameters()) == PUBLISHED - LAST - CLASSIFIER


@pytest.mark.parametrize("window", [(224, 224), (768, 448), (97, 63)])
def test_grids(window: tuple[int, int]) -> None:
    with torch.device("meta"):
        features = EfficientNetLite0(channels_in=1)(torch.empty(2, 1, *window))
    shapes = [tuple(-(-side // stride) for side in window) for stride in (8, 16, 32)]
    assert [tuple(f.shape) for f in features] == [
        (2, width, *shape) for width, shape in zip(EfficientNetLite0.WIDTHS, shapes, strict=True)
    ]


def test_folding_changes_nothing() -> None:
    torch.manual_seed(0)
    trunk = EfficientNetLite0(channels_in=1)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    trunk.eval()
    folded = copy.deepcopy(trunk)
    fold_batch_norms(folded)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    image = torch.randn(1, 1, 64, 96)
    with torch.inference_mode():
        for ours, theirs in zip(folded(image), trunk(image), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
