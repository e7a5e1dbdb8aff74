"""Freed memory is used again: after a few passes a process hardly asks the system for more pages."""

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
import torch
from mammoseg.nn.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def forward():
    parts = [torch.ones(4, 2**20) for _ in range(8)]  # 16 MiB each
    for _ in range(4):
        parts = [(part + 1).sqrt() for part in parts]
for _ in range(5):  # until the blocks lie in such a way that they fit again, which depends on chance
    forward()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(15):
    forward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is changed")
def test_pages_are_kept() -> None:
    assert faults("keep") < faults("leave") / 5
