"""What a model costs by its architecture: multiply-accumulates (MACs) of one image.

Only convolutions and matrix products count, as in papers.
Source   What Table 1 of GMIC (Shen et al. 2021, arXiv:2002.07613) calls FLOPs are the MACs of an exam of four images: counted
         so, its network gives the 122 billion that are printed there.
Units    a MAC is one multiplication and one addition, two floating-point operations
"""

from collections.abc import Mapping
from itertools import chain

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

TOTAL = "total"


def macs(model: nn.Module, image_shape: tuple[int, int], channels: int = 1, views: int = 0) -> dict[str, int]:
    """MACs of the forward pass of one image of (rows, columns): of each direct child of the model, and in `total`. A model that
    looks at several `views` together sees all of them; each counts as an image, and the MACs are their mean, rounded.

    Takes neither time nor memory: the pass runs without values, on the meta device. The model stays as it is.
    """
    no_values = {name: value.to("meta") for name, value in chain(model.named_parameters(), model.named_buffers())}
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        there = [torch.ones(1, views, dtype=torch.bool, device="meta")] if views else []
        functional_call(model, no_values, (torch.empty(views or 1, channels, *image_shape, device="meta"), *there))
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    of = type(model).__name__
    counts = {name: _flops_of(child, f"{of}.{name}", flops) for name, child in model.named_children()}
    counts[TOTAL] = counter.get_total_flops()
    return {name: round(count / (2 * (views or 1))) for name, count in counts.items()}


def _flops_of(module: nn.Module, name: str, flops: Mapping[str, int]) -> int:
    """Of a module, or of those in a container that is never called itself."""
    if name in flops or not isinstance(module, nn.ModuleDict | nn.ModuleList):
        return flops.get(name, 0)
    return sum(_flops_of(child, f"{name}.{own}", flops) for own, child in module.named_children())
