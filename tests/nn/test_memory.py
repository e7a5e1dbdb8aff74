"""Freed memory stays with the process: the C library keeps a large block in its heap."""

import ctypes
import subprocess
import sys

import pytest

_SCRIPT = """
import ctypes, sys
from mammoseg.nn.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
libc = ctypes.CDLL(None)
names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
Information = type("Information", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in names]})
libc.mallinfo2.restype, libc.malloc.restype = Information, ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
before = libc.mallinfo2()
block = libc.malloc(ctypes.c_size_t(16 * 2**20))
apart = libc.mallinfo2().hblks - before.hblks
libc.free(block)
print(apart, libc.mallinfo2().fordblks - before.fordblks >= 16 * 2**20)
"""


def blocks_apart_and_kept(how: str) -> str:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, how], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc from 2.33 on tells"
)
def test_large_blocks_are_kept() -> None:
    assert blocks_apart_and_kept("leave") == "1 False"
    assert blocks_apart_and_kept("keep") == "0 True"
