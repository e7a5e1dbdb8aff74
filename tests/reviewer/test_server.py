"""What the server is given, and the server as a process: a kill loses no verdict that was confirmed."""

import os
import re
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from mammoseg.reviewer import server
from mammoseg.reviewer.errors import ReviewError

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")


def test_a_work_list(tmp_path: Path) -> None:
    path = tmp_path / "exams.txt"
    path.write_bytes("\ufeffe2\r\n\r\n  e 1 \r\ne2\r\n".encode())
    assert server.read_order(path) == ("e2", "e 1")
    path.write_text("\n \n")
    with pytest.raises(ReviewError, match="empty"):
        server.read_order(path)
    path.write_bytes(b"\xff\xfe")
    for wrong in (path, tmp_path, tmp_path / "missing"):
        with pytest.raises(ReviewError, match="cannot be read"):
            server.read_order(wrong)


def test_a_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{'x' * 16}\n")
    assert server.read_token(path) == "x" * 16
    path.write_text("x" * 15)
    with pytest.raises(ReviewError, match="15 characters"):
        server.read_token(path)
    path.write_bytes(b"\xff" * 20)
    for wrong in (path, tmp_path / "missing"):
        with pytest.raises(ReviewError, match="cannot be read"):
            server.read_token(wrong)
    assert len({server.new_token() for _ in range(10)}) == 10


def test_missing_packages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(ReviewError, match=r"uvicorn cannot be imported.*pip install 'mammoseg\[serve\]'"):
        server.check_installed()


@pytest.fixture
def running(
    start: Callable[..., Popen[str]], study: Any, tmp_path: Path
) -> Iterator[Callable[..., tuple[Popen[str], Any]]]:
    """`running("--blinded")`: the command, and a browser of reader AB."""
    processes = []

    def run(*more: object) -> tuple[Popen[str], Any]:
        process = start("serve", study.folder, "--out", tmp_path / "review", "--port", 0, *more)
        processes.append(process)
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found, line + (process.stderr.read() if process.stderr else "")
        client = httpx.Client(base_url=found[0], headers={"origin": found[0]}, trust_env=False, timeout=60)
        assert client.post("/reader", json={"reader": "AB"}).status_code == 200
        return process, client

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_a_kill_loses_no_confirmed_verdict(
    running: Callable[..., tuple[Popen[str], Any]], verdict: Callable[..., Any], tmp_path: Path
) -> None:
    process, client = running()
    while len(exams := client.get("/index.json").json()["exams"]) < 2:
        pass
    confirmed = 0
    for number, exam in enumerate(exams * 3):
        sent = verdict("AB", left={"score": number})
        assert client.post(f"/exams/{exam['key']}/verdict", json=sent).status_code == 200
        confirmed += 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with sqlite3.connect(tmp_path / "review" / "verdicts.sqlite") as database:
        kept = database.execute("SELECT score FROM verdicts WHERE laterality = 'L' ORDER BY number").fetchall()
    assert kept == [(number,) for number in range(6)]
    _, client = running()
    assert len(client.get("/verdicts.csv").text.splitlines()) == 1 + confirmed


def test_it_ends_in_order(
    running: Callable[..., tuple[Popen[str], Any]],
    verdict: Callable[..., Any],
    start: Callable[..., Popen[str]],
    tmp_path: Path,
) -> None:
    process, client = running("--blinded")
    while not (exams := client.get("/index.json").json()["exams"]):
        pass
    assert client.post(f"/exams/{exams[0]['key']}/verdict", json=verdict("AB")).status_code == 200
    second = start("serve", tmp_path / "study" / "predictions", "--out", tmp_path / "review")
    assert "another mammoseg command is writing to this folder" in second.communicate(timeout=60)[1]
    assert second.returncode == 1
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (143, "mammoseg: stopped; the same command continues\n")
    assert "AB" in (tmp_path / "review" / "verdicts.csv").read_text()
    assert not (tmp_path / "review" / ".lock").exists()
    assert not [secret for secret in ("NAME^OF", "AB", exams[0]["exam_id"] + " ") if secret in out]


def test_beyond_this_machine_a_token_is_made(start: Callable[..., Popen[str]], study: Any, tmp_path: Path) -> None:
    process = start("serve", study.folder, "--out", tmp_path / "review", "--host", "0.0.0.0", "--port", 0)
    try:
        assert process.stdout
        token = process.stdout.readline().split()[-1]
        address = process.stdout.readline().split()[0].replace("0.0.0.0", "127.0.0.1")
        assert len(token) > 40
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(address)
        request = urllib.request.Request(address, headers={"authorization": f"Bearer {token}"})
        assert urllib.request.urlopen(request).status == 200
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_told(study: Any, tmp_path: Path) -> None:
    with server._socket("127.0.0.1", 0) as taken, pytest.raises(ReviewError, match=r"Choose another --port"):
        server._socket("127.0.0.1", taken.getsockname()[1])
