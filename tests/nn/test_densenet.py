"""DenseNet: published size and names, the formulas written out with explicit padding, and the same after folding."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, max_pool2d, pad

from mammoseg.nn.densenet import DenseNet
from mammoseg.nn.inference import fold_batch_norms

PUBLISHED = 7_978_856
"""Parameters of DenseNet-121 with its classifier of 1,000 classes."""


def small() -> DenseNet:
    """With statistics as of a trained network."""
    torch.manual_seed(0)
    trunk = DenseNet((2, 3), growth=4, stem_width=6, channels_in=1)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    return trunk.eval()


def test_has_as_many_parameters_and_tensors_as_published() -> None:
    with torch.device("meta"):
        trunk = DenseNet()
    assert sum(p.numel() for p in trunk.parameters()) == PUBLISHED - 1025 * 1000
    names = [name for name in trunk.state_dict() if not name.endswith("num_batches_tracked")]
    ends = [sum(name.endswith(end) for name in names) for end in ("weight", "bias", "running_mean", "running_var")]
    assert ends == [241, 121, 121, 121], "with the classifier one weight and one bias more"


def test_names_are_those_of_torchvision() -> None:
    with torch.device("meta"):
        names = DenseNet().state_dict().keys()
    layer = {f"denseblock3.denselayer24.{part}.weight" for part in ("norm1", "conv1", "norm2", "conv2")}
    assert names >= {
        "conv0.weight",
        "norm0.bias",
        "transition3.norm.weight",
        "transition3.conv.weight",
        "norm5.bias",
        *layer,
    }


@pytest.mark.parametrize(("shape", "cells"), [((256, 256), (8, 8)), ((97, 63), (3, 2))])
def test_grids(shape: tuple[int, int], cells: tuple[int, int]) -> None:
    """Layers are padded to ceil(side / 2), mean pools leave an odd row out."""
    with torch.device("meta"):
        trunk = DenseNet()
        assert trunk(torch.empty(2, 3, *shape)).shape == (2, trunk.channels, *cells)
    assert trunk.channels == 1024


@pytest.mark.parametrize("shape", [(32, 32), (37, 26)])
def test_computes_the_formulas(shape: tuple[int, int]) -> None:
    trunk = small()
    state = trunk.state_dict()

    def norm(name: str, x: Tensor) -> Tensor:
        weight, bias, mean, variance = (
            state[f"{name}.{end}"] for end in ("weight", "bias", "running_mean", "running_var")
        )
        return batch_norm(x, mean, variance, weight, bias, eps=1e-5).relu()

    def layer(name: str, x: Tensor) -> Tensor:
        y = norm(f"{name}.norm2", conv2d(norm(f"{name}.norm1", x), state[f"{name}.conv1.weight"]))
        return torch.cat([x, conv2d(pad(y, (1, 1, 1, 1)), state[f"{name}.conv2.weight"])], 1)

    def strided(x: Tensor, kernel: int) -> Tensor:
        """Padded for a stride of 2, written out for even and odd sides."""
        even, odd = {7: ((2, 3), (3, 3)), 3: ((0, 1), (1, 1))}[kernel]
        (top, bottom), (left, right) = (odd if side % 2 else even for side in x.shape[-2:])
        return pad(x, (left, right, top, bottom))

    x = torch.randn(2, 1, *shape)
    with torch.inference_mode():
        y = norm("norm0", conv2d(strided(x, 7), state["conv0.weight"], stride=2))
        y = max_pool2d(strided(y, 3), 3, 2)
        for number in (1, 2):
            y = layer(f"denseblock1.denselayer{number}", y)
        y = avg_pool2d(conv2d(norm("transition1.norm", y), state["transition1.conv.weight"]), 2)
        for number in (1, 2, 3):
            y = layer(f"denseblock2.denselayer{number}", y)
        torch.testing.assert_close(trunk(x).relu(), norm("norm3", y))


def test_folding_changes_nothing() -> None:
    trunk = small()
    folded = copy.deepcopy(trunk)
    fold_batch_norms(folded)
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in net.modules()) for net in (trunk, folded)]
    assert norms == [13, 7], "those behind a convolution are gone: of the stem and one of each layer"
    image = torch.randn(1, 1, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(folded(image), trunk(image), rtol=1e-4, atol=1e-4)


def test_small_images_without_a_pool_keep_a_grid() -> None:
    trunk = DenseNet((2, 2, 2), growth=4, stem_width=8, stem_pool=False, channels_in=1).eval()
    with torch.inference_mode():
        assert trunk(torch.randn(1, 1, 32, 32)).shape[-2:] == (4, 4)
