"""Mirror images: of training images by chance, and the mean of what a network says of an image and of its three mirror images,
whose map moves with the image.

    mean over f of f(network(f(x))),   f = identity, left-right, up-down, both

Why      An image label does not see where a map lies, so a trained network may draw beside the lesion, always to the same side.
         An offset that is the same in all four mirror images cancels in their mean. The idea is that of test-time augmentation.
Cost     Four passes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T", bound=tuple[Any, ...])
_FLIPS = ((), (-1,), (-2,), (-2, -1))


def mirrored(*images: Tensor) -> list[Tensor]:
    """All left-right, up-down, both or not, by chance."""
    axes = [axis for axis in (-1, -2) if torch.rand(()) < 0.5]
    return [image.flip(axes) for image in images]


def mean_over_flips(network: Callable[[Tensor], T], image: Tensor) -> T:
    """`image` (..., H, W); `network` gives a (named) tuple of tensors, tuples of them or None. A tensor of four dimensions or more
    is a map, and flipped back; one of fewer is averaged as it is."""
    return _mean([_flipped(network(image.flip(f)), f) for f in _FLIPS])


def _flipped(value: Any, axes: tuple[int, ...]) -> Any:
    if isinstance(value, tuple):
        return _like(value, [_flipped(part, axes) for part in value])
    return value.flip(axes) if value is not None and value.ndim >= 4 else value


def _mean(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, tuple):
        return _like(first, [_mean(list(parts)) for parts in zip(*values, strict=True)])
    return None if first is None else torch.stack(values).mean(0)


def _like(value: tuple[Any, ...], parts: list[Any]) -> Any:
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
