"""Maps that move with their image cost nothing, maps beside the lesion or around it do."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from mammoseg.nn.equivariance import Twin, disagreement, judged_twin_of, moving, twin_of


def on_the_lesion(image: Tensor) -> Tensor:
    return avg_pool2d(image, 4)


def beside_it(image: Tensor) -> Tensor:
    return on_the_lesion(image.roll((16, 0), (-2, -1)))


def around_it(image: Tensor) -> Tensor:
    """On a ring with a radius of 24 pixels."""
    rows, cols = torch.meshgrid(torch.arange(-28, 29), torch.arange(-28, 29), indexing="ij")
    ring = ((rows**2 + cols**2).sqrt() - 24).abs() < 4
    return on_the_lesion(conv2d(image, (ring / 64)[None, None].float(), padding=28)).clamp(max=1)


def lesions() -> Tensor:
    image = torch.zeros(2, 1, 128, 96)
    image[0, :, 40:56, 30:46] = 1
    image[1, :, 70:86, 50:66] = 1
    return image


def penalty(network: Callable[[Tensor], Tensor], seed: int) -> float:
    image = lesions()
    torch.manual_seed(seed)
    twin = twin_of(image)
    return disagreement(twin, [network(image)], [network(twin.image_BCHW)]).item()


@pytest.mark.parametrize("network", [beside_it, around_it])
def test_a_map_that_is_not_on_the_lesion_costs(network: Callable[[Tensor], Tensor]) -> None:
    on, off = (sum(penalty(of, seed) for seed in range(20)) for of in (on_the_lesion, network))
    assert off > 5 * on


def test_twins_are_smaller_mirror_images() -> None:
    image = torch.rand(3, 2, 96, 64)
    seen = set()
    for seed in range(40):
        torch.manual_seed(seed)
        twin = twin_of(image)
        rows, cols = twin.image_BCHW.shape[-2:]
        assert rows % 8 == cols % 8 == 0
        assert 0.5 < rows / 96 < 1
        assert 0.5 < cols / 64 < 1
        seen.add((*twin.axes, rows))
        whole = torch.nn.functional.interpolate(twin.image_BCHW.flip(twin.axes), (96, 64), mode="bilinear")
        assert torch.corrcoef(torch.stack([whole.flatten(), image.flatten()]))[0, 1] > 0.4
    assert len({key[:-1] for key in seen}) == 4
    assert len({key[-1] for key in seen}) > 2


def test_both_sides_learn() -> None:
    torch.manual_seed(0)
    one, other = (torch.rand(2, 2, n, n, requires_grad=True) for n in (8, 6))
    disagreement(Twin(torch.empty(0), (-1,)), [one], [other]).backward()
    assert one.grad is not None
    assert other.grad is not None
    assert one.grad.abs().min() > 0
    assert other.grad.abs().min() > 0


@pytest.mark.parametrize("network", [beside_it, around_it])
def test_how_well_a_map_moves(network: Callable[[Tensor], Tensor]) -> None:
    """Nearly 1 on the lesion, clearly less off it; a map without contrast has no score."""
    image = lesions()
    twin = judged_twin_of(image)
    on, off = (moving(twin, of(image), of(twin.image_BCHW)) for of in (on_the_lesion, network))
    assert on.min() > 0.95
    assert off.max() < 0.6
    flat = torch.zeros(2, 1, 8, 8)
    assert moving(twin, flat, flat).isnan().all()
