"""Devices by the names that people give them, and what is said where there is none."""

import pytest
import torch

from mammoseg.config import ConfigError
from mammoseg.nn.device import device_from


def with_gpus(monkeypatch: pytest.MonkeyPatch, gpus: int, build: str | None = "12.8") -> None:
    monkeypatch.setattr(torch.version, "cuda", build)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)


def test_names_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 2)
    for name in ("gpu", "cuda", "auto"):
        assert device_from(name) == torch.device("cuda"), name
    assert device_from("cuda:1") == torch.device("cuda:1")
    assert device_from("cpu") == torch.device("cpu")
    with_gpus(monkeypatch, 0)
    assert device_from("auto") == torch.device("cpu")


@pytest.mark.parametrize("name", ["nonsense", "", "cpu:x", "meta", "gpu:0", "GPU", "xla"])
def test_a_name_that_is_none_gets_the_choices(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        device_from(name)
    assert str(error.value) == (
        f"--device {name}: there is no such device. Expected one of: auto, cpu, gpu (the same as cuda), cuda:N, mps. "
        "Choose one of these."
    )


@pytest.mark.parametrize(
    ("name", "gpus", "build", "why"),
    [
        ("gpu", 0, None, "this build of PyTorch is for CPUs only; install one with CUDA to use a GPU"),
        ("cuda", 0, "12.8", "PyTorch finds no GPU; check its driver with nvidia-smi"),
        ("cuda:99", 2, "12.8", "there are 2 GPUs, counted from 0"),
    ],
)
def test_a_device_that_is_not_there(
    name: str, gpus: int, build: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, gpus, build)
    with pytest.raises(ConfigError) as error:
        device_from(name)
    assert str(error.value) == f"--device {name}: not available here ({why}). Use auto, cpu or cuda."
