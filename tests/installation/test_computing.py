"""Builds of PyTorch, GPUs and threads of made-up machines; precision as it is here."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mammoseg.installation import computing as module
from mammoseg.installation.computing import check_computing, cores, is_exact
from mammoseg.records.check import Check

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for what tells of a driver and a quota; four cores, two threads, a CPU build, no GPU."""
    monkeypatch.setattr(module, "_DRIVER", tmp_path / "version")
    monkeypatch.setattr(module, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda process: range(4), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    return tmp_path


def checks() -> dict[str, Check]:
    return {check.subject: check for check in check_computing()}


def test_a_processor_alone() -> None:
    assert {check.result for check in check_computing()} == {"PASS"}
    assert checks()["PyTorch"].found == f"{torch.__version__}, CPU build; no GPU: the CPU computes"


def test_a_gpu_that_the_build_cannot_use(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "version").touch()
    assert checks()["PyTorch"].result == "WARN"
    assert "cannot use" in checks()["PyTorch"].found
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "CUDA 12.8 build, but it finds no GPU" in checks()["PyTorch"].found
    assert "nvidia-smi" in checks()["PyTorch"].remedy


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**33, 2**34))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Card")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(module, "is_exact", lambda device: device == CPU)
    assert checks()["GPU 0"].found == "Card, 8.0 of 16.0 GiB free"
    assert checks()["GPU 0: float32"].result == "FAIL"
    assert checks()["GPU 0: bfloat16"].found == "computed natively"

    def no_kernel(device: torch.device) -> bool:
        if device != CPU:
            raise RuntimeError("CUDA error: no kernel image is available\nCompile with ...")
        return True

    monkeypatch.setattr(module, "is_exact", no_kernel)
    assert checks()["GPU 0: float32"].found == "a convolution fails (CUDA error: no kernel image is available)"
    assert "GPU 0: bfloat16" not in checks()


@pytest.mark.parametrize(("threads", "result"), [(1, "WARN"), (2, "PASS"), (4, "PASS"), (5, "WARN")])
def test_threads(monkeypatch: pytest.MonkeyPatch, threads: int, result: str) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert checks()["threads"].result == result


@pytest.mark.parametrize(("quota", "expected"), [("max 100000", 4), ("150000 100000", 1), ("900000 100000", 4)])
def test_the_quota_of_a_container_counts(machine: Path, quota: str, expected: int) -> None:
    (machine / "cpu.max").write_text(quota)
    assert cores() == expected


def test_a_rounding_of_the_inputs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As TF32 and bfloat16 do it."""
    assert is_exact(CPU)
    convolve: Any = module.conv2d
    monkeypatch.setattr(module, "conv2d", lambda x, w, padding: convolve(x.bfloat16().float(), w, padding=padding))
    assert not is_exact(CPU)
    assert checks()["CPU: float32"].result == "FAIL"


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_told_but_never_a_problem(monkeypatch: pytest.MonkeyPatch, able: bool) -> None:
    monkeypatch.setattr(module, "computes_bfloat16", lambda device: able)
    assert checks()["CPU: bfloat16"].result == "PASS"
    assert ("emulated" in checks()["CPU: bfloat16"].found) is not able
