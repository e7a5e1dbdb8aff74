"""Counted cost: by hand for a small network, and the published numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from mammoseg.bench.cost import macs
from mammoseg.models import build_model, load_model_plugin, parameters


class Toy(nn.Module):
    image_channels = 1

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Conv2d(2, 4, 1, stride=2))
        self.head = nn.Linear(4, 3)
        self.unused = nn.Linear(5, 7)

    def forward(self, image_B1HW: Tensor) -> Tensor:
        y_BK = self.head(self.trunk(image_B1HW).mean((-2, -1)))
        return y_BK @ y_BK.T


def test_by_hand() -> None:
    model = Toy()
    trunk = 6 * 8 * 2 * 9 + 3 * 4 * 4 * 2
    assert macs(model, (6, 8)) == {"trunk": trunk, "head": 12, "unused": 0, "total": trunk + 12 + 3}
    assert parameters(model) == (18 + 2) + (2 + 2) + (8 + 4) + (12 + 3) + (35 + 7)


def test_the_model_stays_as_it_is() -> None:
    model = Toy().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    macs(model, (6, 8))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


class Published(NamedTuple):
    network: Mapping[str, Any]
    gmacs: Mapping[str, float]
    """Per image of 2944 x 1920: GLAM with one patch of 512 pixels, GMIC with six of 256."""
    parameters: int
    only_ours: tuple[str, ...] = ()
    """Parts the published software does not have."""
    only_theirs: int = 0
    """Parameters in the published weights that have no effect."""


PUBLISHED = {
    "glam": Published(
        network={"local_module": {"aggregation": "concatenation"}},
        gmacs={"global_module": 16.02, "local_module": 348.93},
        parameters=24_086_140,
        only_ours=("fusion",),
        only_theirs=12,
    ),
    "gmic": Published(
        network={},
        gmacs={"global_module": 16.02, "local_module": 14.21},
        parameters=14_110_322,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name: str) -> None:
    expected = PUBLISHED[name]
    with torch.device("meta"):
        model = build_model(name, load_model_plugin(name).Config.model_validate(expected.network)).eval()
    counts = macs(model, (2944, 1920))
    assert {part: round(counts[part] / 1e9, 2) for part in expected.gmacs} == expected.gmacs
    assert counts["total"] == sum(count for part, count in counts.items() if part != "total")
    ours = sum(parameters(model.get_submodule(part)) for part in expected.only_ours)
    assert parameters(model) - ours + expected.only_theirs == expected.parameters


@pytest.mark.parametrize(("name", "network", "parameters_", "gmacs"), [
    ("resnet_cam", {}, 21_279_426, 1615.3),
    ("resnet_cam", {"channels_in": 3}, 21_285_698, 1650.7),
    ("resnet_1x1", {}, 21_279_424, 1615.3),
    ("deep_mil", {}, 21_279_426, 1615.3),
    ("rgp_ggp", {}, 21_279_426, 1615.3),
])  # fmt: skip
def test_networks_over_whole_images(name: str, network: dict[str, Any], parameters_: int, gmacs: float) -> None:
    with torch.device("meta"):
        model = build_model(name, load_model_plugin(name).Config.model_validate(network)).eval()
    assert parameters(model) == parameters_
    assert round(4 * macs(model, (2944, 1920))["total"] / 1e9, 1) == gmacs


FILTER = 1_048_576
"""Of GMIC's published files: a tensor that nothing uses."""
NORM = 4
"""Operations for each value that a batch norm makes."""


@pytest.mark.parametrize(("name", "local", "unused", "millions", "billions"), [
    ("gmic", {}, FILTER, 15.17, 122),
    ("gmic", {"blocks": (3, 4, 6, 3)}, FILTER, 25.29, 180),
    ("gmic", {"blocks": (3, 4, 6, 3), "bottleneck": True}, FILTER, 27.95, 194),
    ("resnet_cam", None, 0, 21.30, 1622),
    ("resnet_1x1", None, 0, 21.30, 1622),  # printed: 1,625, of which 3 are not explained
])  # fmt: skip
def test_table_1_counts_statistics_as_parameters_and_batch_norms_as_operations(
    name: str, local: Mapping[str, Any] | None, unused: int, millions: float, billions: int
) -> None:
    """Of GMIC's paper. With a gray image: three channels would make a ResNet-34 1,657 billion."""
    with torch.device("meta"):
        config = load_model_plugin(name).Config.model_validate({} if local is None else {"local_module": local})
        model = build_model(name, config).eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    made: list[int] = []
    hooks = [norm.register_forward_hook(lambda _, __, out: made.append(out.numel())) for norm in norms]
    with torch.no_grad():
        model(torch.empty(1, 1, 2944, 1920, device="meta"))
    for hook in hooks:
        hook.remove()
    statistics = sum(2 * norm.num_features for norm in norms)
    assert round((parameters(model) + statistics + unused) / 1e6, 2) == millions
    assert round(4 * (macs(model, (2944, 1920))["total"] + NORM * sum(made)) / 1e9) == billions


def test_a_model_of_several_views() -> None:
    """The exam of four views in windows of their own: the mean of its images, all of it in the trunks and the heads."""
    with torch.device("meta"):
        model = build_model("dmvcnn").eval()
    counts = macs(model, (2974, 1942), views=4)
    assert round(4 * counts["total"] / 1e9, 2) == 60.58
    assert counts["trunks"] + counts["heads"] == pytest.approx(counts["total"], abs=1)
    assert counts["trunks"] > 0.97 * counts["total"]
