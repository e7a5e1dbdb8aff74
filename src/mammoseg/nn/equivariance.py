"""A map moves with its image: a penalty on a map that does not, and a score of how well it does.

    L = mean over maps of  sum over classes, mean over cells of  (T S(x) - S(T x))^2

T is a random mirror image, reduced to a random size. Both sides learn. The weight of L rises evenly until the middle of a stage: a
map that has not formed yet moves with its image because it is empty. Batch norms see T x, too, and count it in their running
statistics.

Source   Wang et al. 2020 (SEAM, arXiv:2004.04581), Sec. 3.2: equivariance under reduction. Squares of probabilities, mirror images
         and random sizes are ours.
Why      An image label does not see where a map lies. A map that lies beside the lesion, always to the same side, or on a ring of a
         certain radius around it, predicts as well as one that lies on it. But the first is elsewhere in a mirror image, and the
         second has another radius in a smaller image: only a map that lies on the lesion moves with it.
Shapes   B batch | C image channel | K class | H, W pixels | h, w cells
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

_SHARES = (0.6, 0.9)
"""Smallest and largest size of T x, as a share of that of x."""
_JUDGED = ((-1, -2), 0.75)
"""T of the score: mirrored along both axes, three quarters of the size."""
_MULTIPLE = 8
"""Of which the sides of T x are, in pixels, so that its grids of cells fit."""


class Twin(NamedTuple):
    """T x."""

    image_BCHW: Tensor
    axes: tuple[int, ...]
    """Mirrored along these."""
    inside: tuple[float, float] | None = None
    """Share of its rows and columns, from the first, that shows the image, the rest being background; None: all."""

    def moved(self, S_BKhw: Tensor, like: Tensor) -> Tensor:
        """T S(x), on the grid of another map; 0 beside the image."""
        (rows, cols), (h, w) = self.shown(like).shape[-2:], like.shape[-2:]
        moved = interpolate(S_BKhw.flip(self.axes), size=(rows, cols), mode="bilinear", antialias=True)
        return pad(moved, (0, w - cols, 0, h - rows))

    def shown(self, S_BKhw: Tensor) -> Tensor:
        """The cells of a map that show the image."""
        rows, cols = (
            max(1, round(share * n)) for share, n in zip(self.inside or (1, 1), S_BKhw.shape[-2:], strict=True)
        )
        return S_BKhw[..., :rows, :cols]


def twin_of(image_BCHW: Float[Tensor, "B C H W"]) -> Twin:
    """The same T for all images, by chance."""
    low, high = _SHARES
    axes = tuple(axis for axis in (-1, -2) if torch.rand(()) < 0.5)
    return _twin(image_BCHW, axes, low + (high - low) * float(torch.rand(())))


def judged_twin_of(image_BCHW: Float[Tensor, "B C H W"]) -> Twin:
    """Always the same T, in a window of the size of x: what a model sees may need it."""
    axes, share = _JUDGED
    small, sides = _twin(image_BCHW, axes, share).image_BCHW, image_BCHW.shape[-2:]
    background_BC11 = image_BCHW.amin((-2, -1), keepdim=True)
    image_BCHW = background_BC11.expand_as(image_BCHW).clone()
    rows, cols = small.shape[-2:]
    image_BCHW[..., :rows, :cols] = small
    return Twin(image_BCHW, axes, (rows / sides[0], cols / sides[1]))


def _twin(image_BCHW: Tensor, axes: tuple[int, ...], share: float) -> Twin:
    size = [max(_MULTIPLE, round(share * side / _MULTIPLE) * _MULTIPLE) for side in image_BCHW.shape[-2:]]
    return Twin(interpolate(image_BCHW.flip(axes), size=size, mode="bilinear", antialias=True), axes)


def rise(progress: float) -> float:
    """Share of the weight of L after this share of a stage."""
    return min(1.0, 2 * progress)


def disagreement(
    twin: Twin, maps: Sequence[Float[Tensor, "B K _h _w"]], of_twin: Sequence[Float[Tensor, "B K _i _j"]]
) -> Float[Tensor, ""]:
    """L. `maps`: S(x); `of_twin`: S(T x), on fewer cells."""
    apart = [(twin.moved(S, other) - other).square() for S, other in zip(maps, of_twin, strict=True)]
    return torch.stack([square.mean((0, 2, 3)).sum() for square in apart]).mean()


def moving(
    twin: Twin, S_BKhw: Float[Tensor, "B K _h _w"], of_twin_BKhw: Float[Tensor, "B K _i _j"]
) -> Float[Tensor, "B K"]:
    """Correlation of T S(x) with S(T x) over the cells that show the image, in [-1, 1]: 1 for a map that moves with its image.
    NaN for a map without contrast."""
    pair = (twin.shown(maps).flatten(2) for maps in (twin.moved(S_BKhw, of_twin_BKhw), of_twin_BKhw))
    moved, other = (maps - maps.mean(-1, keepdim=True) for maps in pair)
    return (moved * other).sum(-1) / (moved.square().sum(-1) * other.square().sum(-1)).sqrt()
