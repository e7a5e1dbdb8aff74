"""Measured cost: what is timed and what is not, whose memory counts, and how a measurement fails."""

import importlib
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.bench.timing import Load, MeasuringError, Pass, measure, measure_here
from mammoseg.models import build_model
from mammoseg.models.glam.config import GlamConfig, GlobalConfig, LocalConfig

CPU = torch.device("cpu")
MIB = 2**20

SLOW = '''
import os, signal, time
from types import SimpleNamespace
import torch
from torch import nn

class Wait(torch.autograd.Function):
    @staticmethod
    def forward(context, x, seconds):
        context.seconds = seconds
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        time.sleep(context.seconds)
        return gradient, None

class Slow(nn.Module):
    """Forward 100 ms an image, but 1 s for the first; backward 50 ms an output."""

    image_channels = 1

    def __init__(self, event=None):
        super().__init__()
        self.event, self.calls = event, 0
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, image_B1HW):
        self.calls += 1
        time.sleep(1 if self.calls == 1 else 0.1 * len(image_B1HW))
        match self.event:
            case "large" if self.calls == 1:  # once: kept memory with a hole in it may not fit a second time
                torch.ones(256 * 2**18)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash":
                os._exit(9)
            case "no room":
                torch.empty(2**50)
            case "no room for Python":
                raise MemoryError
            case "refusal":
                raise ValueError("the image is too small")
            case "bug":
                raise RuntimeError("shapes do not fit")
        y_BK = image_B1HW.mean((1, 2, 3))[:, None] * self.weight
        return SimpleNamespace(y_BK=Wait.apply(y_BK, 0.05), parts={"part": Wait.apply(2 * y_BK, 0.05)})
'''


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Load]:
    """A load of two images; its model is in a file, so that another process finds it."""
    (tmp_path / "slow_for_tests.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_for_tests", raising=False)
    build = importlib.import_module("slow_for_tests").Slow
    return lambda event=None: Load(partial(build, event), (32, 16), CPU, batch=2, repeats=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where the model sleeps, so that a busy machine changes nothing."""
    slept = [0.0]
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "perf_counter", lambda: sum(slept))


def test_forward_time_is_per_exam_without_the_first_pass(clock: None, slow: Callable[..., Load]) -> None:
    assert measure_here(slow(), "forward").seconds_per_exam == pytest.approx(0.4)


def test_backward_time_is_without_the_forward_pass(clock: None, slow: Callable[..., Load]) -> None:
    assert measure_here(slow(), "backward").seconds_per_exam == pytest.approx(0.2)


def test_memory_is_that_of_a_new_process(slow: Callable[..., Load]) -> None:
    hidden = torch.ones(512 * MIB // 4)
    del hidden
    result = measure(slow("large"), "forward")
    assert result.peak_bytes is not None
    assert 256 * MIB <= result.peak_bytes < 400 * MIB


@pytest.mark.parametrize("event", ["killed", "crash"])
def test_a_process_that_ends_is_an_error(slow: Callable[..., Load], event: str) -> None:
    told = r"out of memory \(most likely: the process ended without a result\)\. .* Use a smaller --batch or --size, skip it with "
    with pytest.raises(MeasuringError, match=f"^backward pass of 2 images of 32 x 16 on cpu: {told}"):
        measure(slow(event), "backward")


def test_a_model_that_fails_in_its_process_is_an_error(slow: Callable[..., Load]) -> None:
    with pytest.raises(MeasuringError, match=r"^forward pass of 2 images of 32 x 16 on cpu: shapes do not fit"):
        measure(slow("bug"), "forward")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("no room", r"out of memory \(an allocation failed\)\. .* Use a smaller --batch or --size, or take"),
        ("no room for Python", r"out of memory \(an allocation failed\)\."),
        ("refusal", "the image is too small"),
    ],
)
def test_what_the_model_raises(slow: Callable[..., Load], event: str, message: str) -> None:
    with pytest.raises(MeasuringError, match=f"^forward pass of 2 images of 32 x 16 on cpu: {message}"):
        measure_here(slow(event), "forward")


def test_a_bug_is_no_lack_of_memory(slow: Callable[..., Load]) -> None:
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        measure_here(slow("bug"), "forward")


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_model_of_ours(direction: Any, precision: Any) -> None:
    network = GlamConfig(
        global_module=GlobalConfig(widths=(4, 4, 6, 8, 10), stem_pool=False),
        local_module=LocalConfig(blocks=(1, 1), widths=(4, 6), strides=(1, 1), stem_pool=False, channels_in=1),
        patch_px=16,
    )
    load = Load(partial(build_model, "glam", network), (96, 64), CPU, precision=precision)
    result = measure_here(load, direction)
    assert isinstance(result, Pass)
    assert result.seconds_per_exam > 0
