"""Where a network runs: a device by the name that people give it, and what it can."""

import torch

from mammoseg.config import ConfigError

_NAMES = "auto, cpu, gpu (the same as cuda), cuda:N, mps"
_KINDS = ("cpu", "cuda", "mps")


def device_from(name: str) -> torch.device:
    """`auto` (a GPU if there is one), `cpu`, `gpu` or `cuda`, `cuda:1`, `mps`.

    Raises ConfigError for another name, and for a device that this machine or this build of PyTorch does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device("cuda" if name == "gpu" else name)
    except RuntimeError:
        device = None
    if device is None or device.type not in _KINDS:
        raise ConfigError(f"--device {name}: there is no such device. Expected one of: {_NAMES}. Choose one of these.")
    if missing := _why_missing(device):
        raise ConfigError(f"--device {name}: not available here ({missing}). Use auto, cpu or cuda.")
    return device


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 itself (False where it is not known): emulated it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.11 has none
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _why_missing(device: torch.device) -> str | None:
    if device.type == "cuda":
        if torch.version.cuda is None and torch.version.hip is None:
            return "this build of PyTorch is for CPUs only; install one with CUDA to use a GPU"
        if not torch.cuda.is_available():
            return "PyTorch finds no GPU; check its driver with nvidia-smi"
        if (device.index or 0) >= torch.cuda.device_count():
            return f"there are {torch.cuda.device_count()} GPUs, counted from 0"
    if device.type == "mps" and not torch.backends.mps.is_available():
        return "PyTorch finds no Apple GPU"
    return None
