"""Worker processes leave Ctrl-C to their parent, end with it, and are not waited for when it stops."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from torch.utils.data import DataLoader

from mammoseg.data.batching import InOrder, loader_processes
from mammoseg.processes import Workers, share_cores, worker_pool

TESTS = Path(__file__).parent
KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
import deadly
from mammoseg.processes import WarmWorkers, Workers, worker_pool
folder = Path(sys.argv[1])
def end():
    while len(list(folder.iterdir())) < 4:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    threading.Thread(target=end).start()
    for context in (Workers(), WarmWorkers("deadly")):
        context.Process(target=deadly.waits, args=(folder,)).start()
    with worker_pool(2) as pool:
        list(pool.map(deadly.waits, [folder] * 8))
"""

MEMORY = """
import ctypes, sys
from mammoseg.processes import keep_freed_memory
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


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes deadly.py importable here and in new processes."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(TESTS))


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_pool_leaves_interrupts_to_its_parent_and_takes_one_core_each(deadly: None) -> None:
    import deadly as work

    with worker_pool(2) as pool:
        assert list(pool.map(work.interrupted, range(4))) == [0, 1, 2, 3]
        assert pool.submit(cv2.getNumThreads).result() == 1
    assert not multiprocessing.active_children()


def test_loaders_leave_interrupts_to_their_parent(deadly: None) -> None:
    import deadly as work

    assert loader_processes(0) == {}
    loader = DataLoader(work.InterruptedImages(), sampler=InOrder(2), **loader_processes(1))
    for _ in range(2):
        assert [int(index) for index in loader] == [0, 1]


def test_what_runs_in_a_pool_is_not_waited_for_after_an_exception(deadly: None, tmp_path: Path) -> None:
    import deadly as work

    def stopped() -> None:
        with worker_pool(2) as pool:
            for _ in range(5):
                pool.submit(work.waits, tmp_path)
            wait_until(lambda: len(list(tmp_path.iterdir())) == 2, "the work does not begin")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert not any(map(running, pids))
    assert len(pids) == 2, "nothing was begun after that"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_a_killed_parent(deadly: None, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "pids")], check=False, timeout=240)
    assert done.returncode == -9
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert len(pids) >= 4
    wait_until(lambda: not any(map(running, pids)), f"one of {pids} still runs")


def test_a_worker_that_was_never_started_needs_no_kill() -> None:
    context = Workers()
    context.Process(target=print)
    context.kill()


def test_processes_are_started_in_one_place() -> None:
    source = TESTS.parent / "src" / "mammoseg"
    starts = ("get_context(", "ProcessPoolExecutor(", "num_workers")
    found = {path.name for path in source.rglob("*.py") if any(start in path.read_text() for start in starts)}
    assert found == {"processes.py", "batching.py"}


def test_threads_sleep_while_they_wait_unless_the_user_wants_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.delenv(name, raising=False)
    with monkeypatch.context() as patch:
        patch.setenv("GOMP_SPINCOUNT", "5")
        share_cores()
        assert "OMP_WAIT_POLICY" not in os.environ
    monkeypatch.setattr(os, "environ", dict(os.environ))
    share_cores()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"


def blocks_apart_and_kept(how: str) -> str:
    done = subprocess.run([sys.executable, "-c", MEMORY, how], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc from 2.33 on tells"
)
def test_large_blocks_are_kept() -> None:
    assert blocks_apart_and_kept("leave") == "1 False"
    assert blocks_apart_and_kept("keep") == "0 True"
