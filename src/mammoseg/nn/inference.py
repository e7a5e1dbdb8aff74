"""How a trained network is computed: the same function, as fast as the device allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import torch
from torch import nn

from mammoseg.nn.fold import fold_batch_norms
from mammoseg.nn.winograd import use_winograd

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


@contextmanager
def computing(device: torch.device, precision: Precision) -> Iterator[None]:
    """No gradients, and the asked precision: TF32, the default of new GPUs, would change the published numbers."""
    of = cast(Any, torch.backends)  # its modules have parts that type checkers do not see
    backends = (of.cudnn.conv, of.cuda.matmul, of.mkldnn.conv, of.mkldnn.matmul)
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            yield
    finally:
        for backend, own in zip(backends, before, strict=True):
            backend.fp32_precision = own
