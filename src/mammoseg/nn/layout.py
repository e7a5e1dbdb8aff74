"""The memory layout in which convolutions are fastest."""

import torch
from torch import nn


def use_channels_last(model: nn.Module) -> None:
    """Change `model` to the faster layout, except where training in it is dangerous.

    torch 2.13 with oneDNN crashes on CPUs with AVX-512 in the backward pass of a strided 1 x 1 convolution with fewer
    than 16 input channels in this layout.
    """
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    if not any(c.kernel_size == (1, 1) and c.stride != (1, 1) and c.in_channels < 16 for c in convolutions):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
