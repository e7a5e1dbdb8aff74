"""Whether a device computes in bfloat16 itself; where it is emulated it is slower than float32."""

import torch


def computes_bfloat16(device: torch.device) -> bool:
    """False where it is not known."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.11 has none
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))
