"""Which devices are taken to compute in bfloat16 themselves."""

import pytest
import torch

from mammoseg.nn.device import computes_bfloat16


@pytest.mark.parametrize(
    ("able", "expected"),
    [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx2": True}, False), ({}, False)],
)
def test_processors(monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], expected: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert computes_bfloat16(torch.device("cpu")) is expected
    assert not computes_bfloat16(torch.device("mps"))
