"""Training and search that are killed at random moments, and continued, against the same left alone: are the results equal?

    python benchmarks/kills.py OUT [--kills 30] [--seed 0]

On generated exams: all four stages of a small GLAM, two epochs each, and a search of three trials of a small GMIC. A kill is
SIGKILL to every process of the command, at a moment drawn evenly from its first seconds; then the same command continues. Prints
where the kills fell, and whether all weights, and the table of the search, are the same to the last bit. The exit code is 1 if one
is not.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from safetensors.torch import load_file

SETTINGS = {
    "glam_small": [f"stages.{name}.epochs=2" for name in ("global", "local", "joint", "student")],
    "gmic_small": ["stages.joint.epochs=2"],
}
SPACE = "stages.joint.learning_rate: {low: 1e-4, high: 1e-3, log: true}\n"
RUN = [sys.executable, "-c", "from mammoseg.cli.main import main; main()"]
WHERE = re.compile(r"stage \d of \d, (?:patches for |outlines for )?\w+|trial|prepare", re.IGNORECASE)
LONGEST = 25.0
"""Seconds after which a command is killed at the latest: starting takes a few."""


def command(what: str, study: Path, out: Path) -> list[str]:
    recipe = "glam_small" if what == "train" else "gmic_small"
    settings = [argument for each in SETTINGS[recipe] for argument in ("--set", each)]
    more = [] if what == "train" else ["--space", str(study / "space.yaml"), "--trials", "3", "--top", "2"]
    return [
        *RUN,
        what,
        "--recipe",
        recipe,
        "--manifest",
        str(study / "manifest.csv"),
        "--out",
        str(out),
        *settings,
        *more,
    ]


def until_killed(arguments: list[str], seconds: float, log: Path) -> bool:
    """Whether the command was killed; False: it had ended well before."""
    with log.open("a") as told:
        process = subprocess.Popen(arguments, stdout=told, stderr=told, start_new_session=True)
        try:
            if process.wait(seconds) != 0:
                raise RuntimeError(f"{log}: the command failed by itself")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    return False


def place(log: Path, since: int) -> str:
    """What the log told last before the kill."""
    found = WHERE.findall(log.read_text()[since:])
    return found[-1] if found else "start"


def differences(one: Path, other: Path) -> list[str]:
    """Files of weights that are not the same, or are in one folder alone, and the table of a search if it differs."""
    names = {path.relative_to(root) for root in (one, other) for path in root.rglob("checkpoint/weights.safetensors")}
    found = []
    for name in sorted(names):
        if not ((one / name).is_file() and (other / name).is_file()):
            found.append(f"{name}: missing")
            continue
        mine, theirs = load_file(one / name), load_file(other / name)
        if mine.keys() != theirs.keys() or not all(bool((mine[key] == theirs[key]).all()) for key in mine):
            found.append(str(name))
    tables = [root / "trials.csv" for root in (one, other)]
    if tables[0].is_file() and tables[0].read_text() != tables[1].read_text():
        found.append("trials.csv")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=30, help="Half of them in training, half in search.")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    study, drawn = given.out / "study", random.Random(given.seed)
    subprocess.run([*RUN, "phantom", "--exams", "16", "--out", str(study), "--splits", "0.75,0.25,0"], check=True)
    (study / "space.yaml").write_text(SPACE)
    failed = False
    for what, kills in (("train", given.kills - given.kills // 2), ("search", given.kills // 2)):
        alone, log = given.out / f"{what}-alone", given.out / f"{what}.log"
        subprocess.run(command(what, study, alone), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        places, runs, began = Counter[str](), 0, time.monotonic()
        while places.total() < kills:
            runs += 1
            killed = given.out / f"{what}-killed-{runs}"
            while True:
                log.touch()
                since = log.stat().st_size
                more = places.total() < kills
                if not until_killed(command(what, study, killed), drawn.uniform(0, LONGEST) if more else 3600, log):
                    break
                places[place(log, since)] += 1
            found = differences(alone, killed)
            failed |= bool(found)
            print(f"{what}, run {runs}: {'equal' if not found else 'DIFFERENT: ' + ', '.join(found)}", flush=True)
        print(f"{what}: {places.total()} kills in {time.monotonic() - began:.0f} s: {dict(places)}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
