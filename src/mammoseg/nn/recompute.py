"""Train with less memory: a block keeps its input alone, and computes the rest again in the backward pass.

Source   Chen et al. 2016 (arXiv:1604.06174). A window of 2944 x 1920 pixels then needs a few GiB, at the cost of one more forward
         pass through the blocks. Losses, gradients and batch-norm statistics stay the same.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from mammoseg.nn.densenet import DenseLayer
from mammoseg.nn.efficientnet import InvertedResidual
from mammoseg.nn.resnet import BasicBlock, Bottleneck
from mammoseg.nn.resnet22 import PreActivationBlock

BLOCKS = (PreActivationBlock, BasicBlock, Bottleneck, InvertedResidual, DenseLayer)


def recompute_blocks(model: nn.Module) -> None:
    """Change a model in place; it does so wherever gradients are wanted."""
    for module in model.modules():
        if isinstance(module, BLOCKS):
            module.forward = partial(_forward, module, module.forward)  # type: ignore[method-assign]


def _forward(block: nn.Module, forward: Any, x: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        return forward(x)
    return checkpoint(forward, x, use_reentrant=False, context_fn=partial(_contexts, block), preserve_rng_state=False)


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Of the forward pass and of its repetition."""
    return nullcontext(), _without_statistics(block)


@contextmanager
def _without_statistics(block: nn.Module) -> Iterator[None]:
    """The batch norms see the same batch a second time: it must not count twice."""
    norms = [m for m in block.modules() if isinstance(m, _BatchNorm) and m.training]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, batches
