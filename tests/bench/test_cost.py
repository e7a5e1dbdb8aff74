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
