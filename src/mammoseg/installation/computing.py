"""What the networks are computed with: the build of PyTorch, GPUs, threads, and how exact numbers are."""

import os
from contextlib import suppress
from pathlib import Path

import torch
from torch.nn.functional import conv2d

from mammoseg.nn.device import computes_bfloat16
from mammoseg.nn.inference import computing
from mammoseg.records.check import Check

_CPU = torch.device("cpu")
_DRIVER = Path("/proc/driver/nvidia/version")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_OTHER_BUILD = "Install the PyTorch that pytorch.org/get-started names for this system"


def check_computing() -> list[Check]:
    """PyTorch, threads, precision and every GPU."""
    gpus = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return [_torch(bool(gpus)), _threads(), *_numbers(_CPU, "CPU"), *(check for gpu in gpus for check in _gpu(gpu))]


def cores() -> int:
    """Processor cores that this process may use; a container's quota counts."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # "max 100000" without a quota
        quota, period = map(int, _QUOTA.read_text(encoding="ascii").split())
        count = min(count, max(1, quota // period))
    return count


def _torch(usable: bool) -> Check:
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "ROCm" if torch.version.hip else "CPU"
    found = f"{torch.__version__}, {build} build"
    if usable:
        return Check("PASS", "PyTorch", f"{found}; {torch.cuda.device_count()} GPUs can be used")
    if torch.backends.mps.is_available():
        return Check("PASS", "PyTorch", f"{found}; the Apple GPU can be used with --device mps")
    if not _DRIVER.exists():
        return Check("PASS", "PyTorch", f"{found}; no GPU: the CPU computes")
    if build == "CPU":
        return Check("WARN", "PyTorch", f"{found}, but there is a GPU of NVIDIA, which it cannot use", _OTHER_BUILD)
    remedy = f"Compare the driver's version (nvidia-smi) with the build. {_OTHER_BUILD}"
    return Check("WARN", "PyTorch", f"{found}, but it finds no GPU, although there is a driver of NVIDIA", remedy)


def _threads() -> Check:
    threads, there = torch.get_num_threads(), cores()
    found = f"{threads} for {there} cores"
    if threads <= there <= 2 * threads:  # PyTorch takes one thread for each pair of logical cores
        return Check("PASS", "threads", found)
    slow = "they will wait for each other" if threads > there else "cores stay idle"
    return Check("WARN", "threads", f"{found}: {slow}", f"Unset OMP_NUM_THREADS, or set it to {there}")


def _numbers(device: torch.device, name: str) -> list[Check]:
    """How numbers are computed on a device, by computing."""
    checks = []
    try:
        exact = is_exact(device)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        return [Check("FAIL", f"{name}: float32", f"a convolution fails ({reason})", _OTHER_BUILD)]
    if exact:
        checks.append(Check("PASS", f"{name}: float32", "computed exactly (no TF32, no bfloat16 in its place)"))
    else:
        checks.append(Check("FAIL", f"{name}: float32", "computed with fewer digits than float32 has", _OTHER_BUILD))
    native = computes_bfloat16(device)
    told = "computed natively" if native else "only emulated: --precision bf16-mixed would be slower, not faster"
    return [*checks, Check("PASS", f"{name}: bfloat16", told)]


def is_exact(device: torch.device) -> bool:
    """Whether convolutions and matrix products keep all digits of float32 in a prediction. Raises RuntimeError."""
    value = 1 + 2**-20  # needs 20 binary digits; TF32 keeps 10, bfloat16 7
    with computing(device, "32-true"):
        matrix = torch.full((64, 64), value, device=device)
        product = matrix @ torch.eye(64, device=device)
        image = torch.full((1, 16, 32, 32), value, device=device)
        weight = torch.zeros(16, 16, 3, 3, device=device)
        weight[range(16), range(16), 1, 1] = 1
        return bool((product == value).all() and (conv2d(image, weight, padding=1) == value).all())


def _gpu(device: torch.device) -> list[Check]:
    free, total = torch.cuda.mem_get_info(device)
    name = f"GPU {device.index}"
    room = f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    return [Check("PASS", name, room), *_numbers(device, name)]
