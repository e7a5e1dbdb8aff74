"""Blocks that compute again give the same outputs, gradients and statistics, and keep less."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mammoseg.nn.densenet import DenseNet
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.recompute import recompute_blocks
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22

TRUNKS: dict[str, Callable[[], nn.Module]] = {
    "resnet22": lambda: ResNet22((4, 4, 6, 8, 10), stem_pool=False),
    "resnet": lambda: ResNet((1, 2), (16, 24), (1, 2), channels_in=1),
    "bottleneck": lambda: ResNet((1, 2), (16, 24), (1, 2), channels_in=1, bottleneck=True),
    "efficientnet": lambda: EfficientNetLite0(channels_in=1),
    "densenet": lambda: DenseNet((3, 3), growth=8, stem_width=8, channels_in=1),
}


def learned(trunk: nn.Module, image: Tensor) -> tuple[Tensor, list[Tensor], dict[str, Tensor], int]:
    """Loss, gradients, buffers after a step, and the number of values that were kept for the backward pass."""
    kept = 0

    def pack(value: Tensor) -> Tensor:
        nonlocal kept
        kept += value.numel()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        out = trunk(image)
        loss = (out[-1] if isinstance(out, list) else out).square().mean()
    loss.backward()
    gradients = [p.grad for p in trunk.parameters() if p.grad is not None]
    return loss.detach(), gradients, dict(trunk.named_buffers()), kept


@pytest.mark.parametrize("name", TRUNKS)
def test_changes_nothing_and_keeps_less(name: str) -> None:
    torch.manual_seed(0)
    plain = TRUNKS[name]().train()
    sparing = copy.deepcopy(plain)
    recompute_blocks(sparing)
    image = torch.randn(2, 1, 64, 64)
    loss, gradients, buffers, kept = learned(plain, image)
    again, others, statistics, less = learned(sparing, image)
    assert torch.equal(again, loss)
    assert len(gradients) == len(others) > 0
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(others, gradients, strict=True))
    assert all(torch.equal(statistics[key], value) for key, value in buffers.items()), "no batch counts twice"
    assert less < 0.6 * kept
    assert sparing.state_dict().keys() == plain.state_dict().keys()


def test_without_gradients_nothing_is_different() -> None:
    torch.manual_seed(0)
    trunk = TRUNKS["resnet22"]().eval()
    image = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        before = trunk(image)[-1]
        recompute_blocks(trunk)
        assert torch.equal(trunk(image)[-1], before)
