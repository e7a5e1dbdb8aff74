"""The server of a review: how fast its list is, what it does under load, and whether kills lose verdicts.

    python benchmarks/serve.py OUT [--exams 10000] [--seconds 60] [--kills 10] [--readers 50]

On eight generated exams, predicted with the weights in the box, all on this machine, the readers too:

- the list of a folder of --exams exams (records without maps, the same scores over and over): until all are in it, and its answers;
- --readers readers at once for --seconds: list, pages, verdicts one after the other; what is answered in another way is an error;
- --kills times: readers post as fast as they can, the server is killed with SIGKILL at some moment, and starts again. Every verdict
  that was confirmed must be in the table.

The exit code is 1 if there was an error, or a verdict is lost.
"""

import argparse
import csv
import http.client
import io
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

RUN = [sys.executable, "-c", "from mammoseg.cli.main import main; main()"]


class Browser:
    """One reader, on one connection."""

    def __init__(self, address: str, reader: str) -> None:
        self.host, self.reader = address.removeprefix("http://").rstrip("/"), reader
        self.connection = http.client.HTTPConnection(self.host, timeout=120)
        self.headers = {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        _, answer = self.ask("POST", "/reader", {"reader": reader})
        self.headers["Cookie"] = str(answer.getheader("set-cookie")).partition(";")[0]

    def ask(self, method: str, path: str, sent: Any = None) -> tuple[bytes, http.client.HTTPResponse]:
        self.connection.request(method, path, None if sent is None else json.dumps(sent), self.headers)
        answer = self.connection.getresponse()
        return answer.read(), answer

    def post(self, key: str, comment: str) -> int:
        plain = {"birads": 2, "score": None, "ellipses": [], "seconds": 1, "comment": comment, "truth_seen": False}
        verdicts = [{"laterality": side, **plain} for side in "RL"]
        return self.ask("POST", f"/exams/{key}/verdict", {"reader": self.reader, "page": "", "verdicts": verdicts})[
            1
        ].status


@contextmanager
def server(predictions: Path, out: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its address."""
    call = [*RUN, "serve", str(predictions), "--out", str(out), "--port", "0"]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield process, re.findall(r"http://\S+", line)[0]
    finally:
        process.kill()
        process.wait()


def exams_of(browser: Browser, n: int) -> list[str]:
    """The keys of the first exams, once there are `n` in the list."""
    while json.loads(answer := browser.ask("GET", "/index.json")[0])["total"] < n:
        time.sleep(0.2)
    return [exam["key"] for exam in json.loads(answer)["exams"]]


def measure_index(template: Path, out: Path, n: int) -> None:
    folder = out / "many"
    (folder / "records").mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_bytes((template / "run.json").read_bytes())
    record = json.loads(next((template / "records").glob("*.json")).read_text())
    for number in range(n):
        for side, view in (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")):
            ids = {"patient_id": f"p{number}", "exam_id": f"e{number}", "image_id": f"p{number}_{side}-{view}"}
            about = ids | {"laterality": side, "view": view}
            path = folder / "records" / f"{ids['image_id']}.json"
            if not path.exists():
                path.write_text(json.dumps(record | about))
    began = time.monotonic()
    with server(folder, out / "many_review") as (_, address):
        browser = Browser(address, "reader")
        keys = exams_of(browser, n)
        print(f"index of {n} exams, {4 * n} records: complete after {time.monotonic() - began:.1f} s")
        for number in range(50):
            browser.post(keys[number], "")
        wanted = ("", f"?start={n - 100}", "?by=malignant", "?text=99", "?done=false")
        for path in (f"/index.json{each}" for each in wanted):
            took = []
            for _ in range(20):
                began = time.monotonic()
                content, answer = browser.ask("GET", path)
                took.append(1000 * (time.monotonic() - began))
                if answer.status != 200:
                    sys.exit(f"{path}: {answer.status}")
            print(
                f"  {path}: median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms, {len(content)} bytes"
            )


def measure_load(predictions: Path, out: Path, readers: int, seconds: float) -> int:
    """How many requests were not answered as they should be."""
    took: dict[str, list[float]] = {"list": [], "page": [], "verdict": []}
    wrong: Counter[str] = Counter()

    def read(number: int, address: str, keys: list[str], until: float) -> None:
        draw, browser = random.Random(number), Browser(address, f"reader {number}")
        while time.monotonic() < until:
            kind, began = draw.choice([*took]), time.monotonic()
            try:
                if kind == "verdict":
                    status = browser.post(draw.choice(keys), "x" * 100)
                else:
                    path = "/index.json" if kind == "list" else f"/exams/{draw.choice(keys)}"
                    status = browser.ask("GET", path)[1].status
            except (OSError, http.client.HTTPException) as error:
                wrong[f"{kind}: {type(error).__name__}"] += 1
                browser = Browser(address, f"reader {number}")
                continue
            took[kind].append(time.monotonic() - began)
            if status != 200:
                wrong[f"{kind}: {status}"] += 1

    with server(predictions, out / "load_review") as (_, address):
        keys = exams_of(Browser(address, "first"), 8)
        until = time.monotonic() + seconds
        threads = [Thread(target=read, args=(number, address, keys, until)) for number in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = len(list(csv.DictReader(io.StringIO(Browser(address, "first").ask("GET", "/verdicts.csv")[0].decode()))))
    n = sum(map(len, took.values()))
    print(f"{readers} readers for {seconds:.0f} s: {n} requests, {sum(wrong.values())} errors {dict(wrong) or ''}")
    for kind, times in took.items():
        times.sort()
        print(f"  {kind}: {len(times)}, median {statistics.median(times):.2f} s, slowest {times[-1]:.2f} s")
    lost = 2 * len(took["verdict"]) - kept
    print(f"  rows of verdicts that were confirmed and are not in the table: {lost}")
    return sum(wrong.values()) + abs(lost)


def measure_kills(predictions: Path, out: Path, kills: int) -> int:
    """How many confirmed verdicts were lost."""
    confirmed: list[str] = []

    def post(number: int, kill: int, address: str, keys: list[str]) -> None:
        with suppress(OSError, http.client.HTTPException):
            browser = Browser(address, f"reader {number}")
            for count in range(10**6):
                comment = f"{kill} {number} {count}"
                if browser.post(keys[count % len(keys)], comment) == 200:
                    confirmed.append(comment)

    for kill in range(kills):
        with server(predictions, out / "kills_review") as (process, address):
            keys = exams_of(Browser(address, "first"), 8)
            threads = [Thread(target=post, args=(number, kill, address, keys)) for number in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(random.Random(kill).uniform(0.2, 1.5))
            os.kill(process.pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
    with server(predictions, out / "kills_review") as (_, address):
        table = Browser(address, "first").ask("GET", "/verdicts.csv")[0].decode()
    kept = Counter(row["comment"] for row in csv.DictReader(io.StringIO(table)))
    lost = sum(kept[comment] != 2 for comment in confirmed)
    print(f"{kills} kills: {len(confirmed)} verdicts confirmed, {lost} of them lost, {len(kept)} kept")
    return lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exams", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--readers", type=int, default=50)
    given = parser.parse_args()
    study, predictions = given.out / "study", given.out / "predictions"
    subprocess.run([*RUN, "phantom", "--exams", "8", "--out", str(study)], check=True)
    predict = ("predict", "--checkpoint", "glam_phantom", "--manifest", str(study / "manifest.csv"), "--no-overlays")
    subprocess.run([*RUN, *predict, "--out", str(predictions)], check=True)
    measure_index(predictions, given.out, given.exams)
    wrong = measure_load(predictions, given.out, given.readers, given.seconds)
    wrong += measure_kills(predictions, given.out, given.kills)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
