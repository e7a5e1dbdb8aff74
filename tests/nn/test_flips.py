"""Offsets cancel, and what moves with the image stays as it is."""

from typing import NamedTuple

import torch
from torch import Tensor

from mammoseg.nn.flips import mean_over_flips, mirrored


class Out(NamedTuple):
    map_BKhw: Tensor
    scales: tuple[Tensor, Tensor]
    y_BK: Tensor
    nothing: Tensor | None = None


def looks_beside(image_BCHW: Tensor) -> Out:
    """A map that lies one row below and two columns beside what it is of."""
    moved = image_BCHW.roll((1, 2), (-2, -1))
    return Out(moved, (moved, 2 * moved), image_BCHW[..., 0, 0])


def test_the_same_offset_in_all_cancels() -> None:
    image = torch.zeros(1, 1, 9, 11)
    image[..., 4, 5] = 1
    out = mean_over_flips(looks_beside, image)
    where = out.map_BKhw[0, 0].nonzero().float()
    assert len(where) == 4
    assert where.mean(0).tolist() == [4, 5]
    assert out.nothing is None
    torch.testing.assert_close(out.scales, (out.map_BKhw, 2 * out.map_BKhw))


def test_what_moves_with_the_image_is_left_as_it_is() -> None:
    image = torch.rand(2, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    out = mean_over_flips(lambda x: Out(x.square(), (x, x), x.amax((-2, -1))), image)
    torch.testing.assert_close(out.map_BKhw, image.square())
    torch.testing.assert_close(out.y_BK, image.amax((-2, -1)))


def test_numbers_are_the_mean_over_the_four() -> None:
    image = torch.arange(4.0).view(1, 1, 2, 2)
    assert mean_over_flips(looks_beside, image).y_BK.item() == 1.5  # its corner in each of the four


def test_images_that_belong_together_are_mirrored_together() -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        one, other = mirrored(image, image + 10)
        assert torch.equal(one + 10, other)
        seen.add(tuple(one.flatten().tolist()))
    assert len(seen) == 4
