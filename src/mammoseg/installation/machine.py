"""Room: main memory, and disk where results and temporary files go."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from mammoseg.records.check import Check

PREDICT_BYTES = int(1.1 * 2**30)
"""What `mammoseg predict` with glam_paper takes at its peak, in float32 on a CPU."""
TRAIN_BYTES = int(2.3 * 2**30)
"""What a training step of glam_paper takes with one image; each further image of a batch takes nearly as much again."""
_LEAST_DISK = 2**30
_LEAST_DISK_AT_ALL = 50 * 2**20


def check_machine() -> list[Check]:
    """Memory, the current folder and the folder of temporary files."""
    checks = [_memory(*memory()), _disk("current folder", Path.cwd(), "WARN")]
    try:
        return [*checks, _disk("temporary files", Path(tempfile.gettempdir()), "FAIL")]
    except OSError:
        return [*checks, Check("FAIL", "temporary files", "no folder can be written to", _OTHER_TEMP)]


def memory() -> tuple[int | None, int | None]:
    """Bytes of main memory: in all, and free for new programs. A container's limit counts. None: unknown here."""
    total, free = _memory_of_the_system()
    with suppress(OSError, ValueError):  # Linux, in a container with a limit
        limit = int((_CONTAINER / "memory.max").read_text(encoding="ascii"))
        rest = limit - int((_CONTAINER / "memory.current").read_text(encoding="ascii"))
        total = min(limit, total or limit)
        free = min(rest, rest if free is None else free)
    return total, free


_CONTAINER = Path("/sys/fs/cgroup")
_SYSTEM = Path("/proc/meminfo")
_OTHER_TEMP = "Set TMPDIR to a folder with room that you may write to"


def _memory_of_the_system() -> tuple[int | None, int | None]:
    with suppress(OSError, ValueError, KeyError):
        lines = (line.split() for line in _SYSTEM.read_text(encoding="ascii").splitlines())
        kib = {name: int(count) for name, count, *_ in lines}
        return kib["MemTotal:"] * 1024, kib["MemAvailable:"] * 1024
    with suppress(OSError, ValueError):  # macOS
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    return None, None


def _memory(total: int | None, free: int | None) -> Check:
    if total is None:
        return Check("PASS", "memory", "unknown on this system")
    room = total if free is None else free
    found = f"{_gib(total)} in all, {'unknown' if free is None else _gib(free)} free"
    if room < PREDICT_BYTES:
        return Check(
            "WARN",
            "memory",
            f"{found}; predict with glam_paper takes about {_gib(PREDICT_BYTES)}",
            "End other programs, or use a recipe with a smaller window (glam_small, glam_film)",
        )
    if room < TRAIN_BYTES:
        return Check(
            "WARN",
            "memory",
            f"{found}; enough to predict, but training glam_paper takes {_gib(TRAIN_BYTES)} and more for each image of a batch",
            "Train a recipe with a smaller window (glam_small, glam_film), or on another machine",
        )
    images = int(room // TRAIN_BYTES)
    return Check("PASS", "memory", f"{found}; glam_paper can be trained with up to {images} images in a batch")


def _disk(subject: str, folder: Path, if_closed: str) -> Check:
    """`if_closed`: what it is if nothing can be written there."""
    remedy = _OTHER_TEMP if if_closed == "FAIL" else "Work in another folder, or give --out"
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("FAIL" if if_closed == "FAIL" else "WARN", subject, f"{folder} may not be written to", remedy)
    free = shutil.disk_usage(folder).free
    found = f"{_gib(free)} free on the disk of {folder}"
    if free < _LEAST_DISK_AT_ALL:
        return Check("FAIL", subject, found, f"Free space. {remedy}")
    if free < _LEAST_DISK:
        return Check("WARN", subject, f"{found}; a prediction takes about 10 MB an image, training up to 7 MB", remedy)
    return Check("PASS", subject, found)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
