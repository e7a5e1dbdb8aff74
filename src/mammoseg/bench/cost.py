"""What a model costs by its architecture: multiply-accumulates (MACs) of one image.

Only convolutions and matrix products count, as in papers.
Source   What Table 1 of GMIC (Shen et al. 2021, arXiv:2002.07613) calls FLOPs are the MACs of an exam of four images: counted
         so, its network gives the 122 billion that are printed there.
Units    a MAC is one multiplication and one addition, two floating-point operations
"""

from itertools import chain

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

TOTAL = "total"


def macs(model: nn.Module, image_shape: tuple[int, int], channels: int = 1) -> dict[str, int]:
    """MACs of the forward pass of one image of (rows, columns): of each direct child of the model, and in `total`.

    Takes neither time nor memory: the pass runs without values, on the meta device. The model stays as it is.
    """
    no_values = {name: value.to("meta") for name, value in chain(model.named_parameters(), model.named_buffers())}
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        functional_call(model, no_values, torch.empty(1, channels, *image_shape, device="meta"))
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    of = type(model).__name__
    counts = {name: flops.get(f"{of}.{name}", 0) // 2 for name, _ in model.named_children()}
    return {**counts, TOTAL: counter.get_total_flops() // 2}
