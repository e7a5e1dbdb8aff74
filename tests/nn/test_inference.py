"""A network that is sped up computes what it did."""

import copy
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from mammoseg.nn.inference import Precision, computing, speed_up
from mammoseg.nn.resnet import ResNet
from mammoseg.nn.winograd import WinogradConv2d

CPU = torch.device("cpu")


@pytest.fixture
def model() -> ResNet:
    torch.manual_seed(0)
    model = ResNet((1, 2), (64, 128), (1, 1))
    with torch.no_grad():
        for _ in range(5):
            model(torch.randn(2, 3, 64, 64))  # the running means of the batch norms
    return model.eval()


@pytest.mark.parametrize(("precision", "tolerance", "winograd"), [("32-true", 1e-4, 3), ("bf16-mixed", 0.05, 0)])
def test_same_values(model: ResNet, precision: Precision, tolerance: float, winograd: int) -> None:
    image = torch.randn(2, 3, 160, 136)
    with computing(CPU, "32-true"):
        before = model(image)
    fast = copy.deepcopy(model)
    speed_up(fast, precision)
    assert sum(isinstance(m, WinogradConv2d) for m in fast.modules()) == winograd
    assert not any(isinstance(m, nn.BatchNorm2d) for m in fast.modules())
    with computing(CPU, precision):
        out = fast(image)
    assert (out - before).abs().max() < tolerance * before.abs().max()


def test_precision_and_gradients() -> None:
    weight = torch.ones(4, 4, requires_grad=True)
    with computing(CPU, "bf16-mixed"):
        out = weight @ weight
        assert out.dtype == torch.bfloat16
        assert not out.requires_grad
    with computing(CPU, "32-true"):
        assert (weight @ weight).dtype == torch.float32


@pytest.mark.parametrize(
    "setting",
    [
        "torch.backends.fp32_precision = 'tf32'",
        "torch.backends.fp32_precision = 'ieee'",
        "torch.backends.cudnn.allow_tf32 = False",
        "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
        "torch.set_float32_matmul_precision('medium')",
        "torch.backends.cudnn.deterministic = True",
    ],
)
def test_float32_whatever_the_program_has_set(setting: str) -> None:
    """In a process of its own: some of these settings cannot be taken back."""
    script = f"""
import torch
from mammoseg.nn.inference import computing
{setting}
def state():
    backends = torch.backends
    parts = (backends.cudnn.conv, backends.cuda.matmul, backends.mkldnn.conv, backends.mkldnn.matmul)
    return [part.fp32_precision for part in parts], backends.cudnn.deterministic
before = state()
with computing(torch.device("cpu"), "32-true"):
    assert state() == (["ieee"] * 4, before[1])
assert state() == before
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_float_mode_is_that_of_the_process_until_the_last_thread_is_ready() -> None:
    """Two predictions at once, the first of which ends first."""
    mode = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = mode.fp32_precision
    entered, left = threading.Event(), threading.Event()
    found = []

    def second() -> None:
        with computing(torch.device("cpu"), "32-true"):
            entered.set()
            assert left.wait(60)
            found.append(mode.fp32_precision)

    mode.fp32_precision = "bf16"
    try:
        with ThreadPoolExecutor(1) as pool:
            with computing(torch.device("cpu"), "32-true"):
                other = pool.submit(second)
                assert entered.wait(60)
            found.append(mode.fp32_precision)
            left.set()
            other.result()
        assert found == ["ieee", "ieee"]
        assert mode.fp32_precision == "bf16", "as it was before both"
    finally:
        mode.fp32_precision = before
