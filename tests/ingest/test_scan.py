"""All files of a folder: the same answers with any number of processes, whatever ends these processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from mammoseg.ingest.examine import NO_NAME, Settings
from mammoseg.ingest.files import find_files
from mammoseg.ingest.patterns import PatternError, compile_pattern
from mammoseg.ingest.scan import NO_ROW, check_pattern, scan_files

Write = Callable[..., Path]
TESTS = Path(__file__).parents[1]

KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
import deadly, mammoseg.ingest.scan as scan
def end(folder=Path(sys.argv[1]) / "pids"):
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    threading.Thread(target=end).start()
    scan.examine = deadly.sleeps
    scan.scan_files([Path(c) for c in "abcdefgh"], scan.Settings(Path(sys.argv[1])), 2)
"""


@pytest.fixture
def folder(write_mammogram: Write, tmp_path: Path) -> Path:
    for side in ("L", "R"):
        for view in ("CC", "MLO"):
            write_mammogram(tmp_path / "in" / f"{side}{view}", side, view)
    (tmp_path / "in" / "broken.dcm").write_bytes(b"x")
    return tmp_path / "in"


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes deadly.py importable here and in new processes."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(TESTS))


def test_processes_change_nothing(folder: Path) -> None:
    files, _ = find_files(folder)
    done = []
    here = scan_files(files, Settings(folder), 0, lambda: done.append(1))
    assert [seen.place for seen in here] == files
    assert [seen.status for seen in here] == ["used"] * 4 + ["unusable"]
    assert len(done) == 5
    assert scan_files(files, Settings(folder), 2, lambda: done.append(1)) == here
    assert len(done) == 10


def test_a_file_that_ends_its_process_costs_only_itself(
    folder: Path, importable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deadly

    monkeypatch.setattr("mammoseg.ingest.scan.examine", deadly.dies)
    (folder / "deadly").touch()
    files, _ = find_files(folder)
    done = []
    found = {seen.place.name: seen for seen in scan_files(files, Settings(folder), 1, lambda: done.append(1))}
    assert found.pop("deadly").why.startswith("reading it ended the process")
    assert [found[name].status for name in ("LCC", "LMLO", "RCC", "RMLO")] == ["used"] * 4
    assert len(done) == len(files)


def test_processes_end_with_the_one_that_started_them(importable: None, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], check=False, timeout=240)
    assert done.returncode == -9
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    deadline = time.monotonic() + 120
    while alive := [pid for pid in pids if running(pid)]:
        assert time.monotonic() < deadline, f"{alive} still run"
        time.sleep(0.05)


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_pictures_of_a_viewer_beside_dicom_files(folder: Path) -> None:
    icon = cv2.imencode(".png", np.zeros((16, 16), np.uint8))[1].tobytes()
    (folder / "icon.png").write_bytes(icon)
    files = [PurePosixPath(name) for name in ("LCC", "icon.png")]
    assert [seen.status for seen in scan_files(files, Settings(folder), 0)] == ["used", "no image"]
    [alone] = scan_files(files[1:], Settings(folder), 0)
    assert (alone.status, alone.why) == ("unusable", NO_NAME)


def test_a_pattern_that_can_never_tell_the_side_of_a_picture(folder: Path) -> None:
    (folder / "7.png").write_bytes(cv2.imencode(".png", np.zeros((16, 16), np.uint8))[1].tobytes())
    pictures = [PurePosixPath("7.png")]
    for text in ("{patient}", "{patient}_{view}"):
        settings = Settings(folder, compile_pattern(text))
        with pytest.raises(PatternError, match="no DICOM file whose header"):
            check_pattern([*pictures, PurePosixPath("gone.png")], settings)
        check_pattern([*pictures, PurePosixPath("LCC")], settings)
        check_pattern([], settings)
    told = {pictures[0]: {"laterality": "L", "view": "CC"}}
    check_pattern(pictures, Settings(folder, compile_pattern("{patient}"), told=told))
    check_pattern(pictures, Settings(folder))
    check_pattern(pictures, Settings(folder, compile_pattern("{laterality}{view}")))


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_table_tells_reaches_its_file(folder: Path, workers: int) -> None:
    image = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (64, 48), np.uint8))[1].tobytes()
    files = [PurePosixPath(name) for name in ("7.png", "8.png", "9.png")]
    for place in files:
        (folder / place).write_bytes(image)
    told = {files[0]: {"laterality": "L", "view": "CC"}, files[1]: {"patient": "P1"}}
    found = scan_files(files, Settings(folder, told=told), workers)
    assert [(seen.laterality, seen.why) for seen in found] == [("L", ""), (None, NO_ROW), (None, NO_ROW)]
    [_, patient, _] = scan_files(files, Settings(folder, told={files[1]: told[files[1]]}), 0)
    assert patient.why == NO_NAME
