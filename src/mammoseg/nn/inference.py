"""How a trained network is computed: the same function, as fast as the device allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mammoseg.nn.winograd import use_winograd
from mammoseg.shared import Shared

Precision = Literal["32-true", "bf16-mixed"]
"""`bf16-mixed`: convolutions and matrix products in bfloat16, weights in float32: faster and less exact."""


def speed_up(model: nn.Module, precision: Precision) -> None:
    """Change a model in eval mode, in place, on the device where it stays. It computes what it did, up to rounding, and
    cannot be trained or saved any more."""
    fold_batch_norms(model)
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    if on_cpu and precision == "32-true":
        use_winograd(model)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs


def fold_batch_norms(model: nn.Module) -> None:
    """Fold the batch norms into the convolutions before them, for fewer passes over memory; like `speed_up`.

    A block says in FOLDS which of its batch norms directly follow which of its convolutions.
    """
    for module in list(model.modules()):
        for convolution, norm in getattr(module, "FOLDS", ()):
            setattr(module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)))
            setattr(module, norm, nn.Identity())


@contextmanager
def computing(device: torch.device, precision: Precision) -> Iterator[None]:
    """No gradients, and the asked precision. Several threads may be in it at once."""
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed")
    with full_float32(), torch.inference_mode(), autocast:
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """float32 as IEEE has it: TF32, the default of new GPUs, would change the published numbers.

    The mode is that of the process: several threads may be in it at once.
    """
    with _shared.mode(_ieee):
        yield


_shared = Shared()


@contextmanager
def _ieee() -> Iterator[None]:
    before = [backend.fp32_precision for backend in _backends()]
    try:
        for backend in _backends():
            backend.fp32_precision = "ieee"
        yield
    finally:
        for backend, own in zip(_backends(), before, strict=True):
            backend.fp32_precision = own


def _backends() -> tuple[Any, ...]:
    of = cast(Any, torch.backends)  # its modules have parts that type checkers do not see
    return of.cudnn.conv, of.cuda.matmul, of.mkldnn.conv, of.mkldnn.matmul
