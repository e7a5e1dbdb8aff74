"""Folding changes how a network computes, not what."""

import pytest
import torch
from torch import nn

from mammoseg.nn.inference import fold_batch_norms
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22


def trained(model: nn.Module) -> nn.Module:
    """With weights that are the same in every process, and batch norms that do something."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
            for values in (module.bias, module.running_mean):
                nn.init.normal_(values, 0, 0.3)
    return model.eval()


@pytest.mark.parametrize(
    ("model", "left"),
    [
        (ResNet((2, 1), (8, 12), (1, 2)), 0),
        (ResNet((1, 2), (4, 8), (2, 1), bottleneck=True, channels_in=1), 0),
        # bn1 of each block comes before its convolutions, final_bn after a sum
        (ResNet22((4, 6), (1, 2), (2, 1)), 4),
    ],
)
@torch.inference_mode()
def test_same_values_with_fewer_batch_norms(model: nn.Module, left: int) -> None:
    trained(model)
    channels = next(m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d))
    image = torch.randn(2, channels, 64, 48)
    before = model(image)
    fold_batch_norms(model)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in model.modules()) == left
    torch.testing.assert_close(model(image), before, rtol=1e-5, atol=1e-5)


def test_a_model_in_training_is_refused() -> None:
    with pytest.raises(AssertionError, match="eval"):
        fold_batch_norms(ResNet((1,), (4,), (1,)).train())
