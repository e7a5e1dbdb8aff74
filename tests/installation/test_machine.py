"""Memory and disk against what predict and train need, on made-up machines."""

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from mammoseg.installation import machine
from mammoseg.installation.machine import check_machine, memory
from mammoseg.records.check import Check


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the files that tell the memory: 16 GiB, 8 of them free, no container."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {16 * 2**20} kB\nMemFree: 5 kB\nMemAvailable: {8 * 2**20} kB\n")
    monkeypatch.setattr(machine, "_SYSTEM", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CONTAINER", tmp_path)
    return tmp_path


def checks() -> dict[str, Check]:
    return {check.subject: check for check in check_machine()}


def test_enough_of_everything() -> None:
    assert memory() == (16 * 2**30, 8 * 2**30)
    assert {check.result for check in check_machine()} == {"PASS"}
    assert "with up to 3 images in a batch" in checks()["memory"].found


@pytest.mark.parametrize(("used", "told"), [(2.5, "enough to predict, but training"), (3.5, "predict with glam_paper")])
def test_the_limit_of_a_container_counts(system: Path, used: float, told: str) -> None:
    (system / "memory.max").write_text(f"{4 * 2**30}\n")
    (system / "memory.current").write_text(f"{int(used * 2**30)}\n")
    assert memory() == (4 * 2**30, int((4 - used) * 2**30))
    assert checks()["memory"].result == "WARN"
    assert told in checks()["memory"].found
    assert "glam_small" in checks()["memory"].remedy


def test_a_container_without_a_limit(system: Path) -> None:
    (system / "memory.max").write_text("max\n")
    assert memory() == (16 * 2**30, 8 * 2**30)


def test_memory_that_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch, system: Path) -> None:
    (system / "meminfo").unlink()
    assert checks()["memory"].found.endswith("unknown free; " + checks()["memory"].found.partition("; ")[2])
    monkeypatch.setattr(machine.os, "sysconf", lambda name: int(name))  # raises ValueError
    assert memory() == (None, None)
    assert checks()["memory"] == Check("PASS", "memory", "unknown on this system")


@pytest.mark.parametrize(("free", "result"), [(2**31, "PASS"), (2**28, "WARN"), (2**20, "FAIL")])
def test_room_on_disk(monkeypatch: pytest.MonkeyPatch, free: int, result: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    assert {check.subject: check.result for check in check_machine()[1:]} == {
        "current folder": result,
        "temporary files": result,
    }


def test_folders_that_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "access", lambda folder, mode: False)
    assert [check.result for check in check_machine()[1:]] == ["WARN", "FAIL"]

    def none() -> str:
        raise FileNotFoundError(2, "no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert "TMPDIR" in checks()["temporary files"].remedy
