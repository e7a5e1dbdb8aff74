"""An image is one process' own, until that gives it back or ends."""

import subprocess
import sys
from pathlib import Path

from mammoseg.io.claims import Claims

CLAIM = """
import sys
from pathlib import Path
from mammoseg.io.claims import Claims
claims = Claims(Path(sys.argv[1]))
print(claims.take(sys.argv[2:]), flush=True)
sys.stdin.read()
"""


def test_all_or_nothing(tmp_path: Path) -> None:
    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    assert ours.take(["a", "b"])
    assert not theirs.take(["c", "b"])
    assert theirs.take(["c"]), "it was given back when b could not be had"
    ours.give_back("b")
    assert theirs.take(["b"])
    ours.give_back("never taken")


def test_nothing_is_left_at_the_end(tmp_path: Path) -> None:
    with Claims(tmp_path) as claims:
        assert claims.take(["a", "b"])
        assert (tmp_path / ".claims").is_dir()
    assert not list(tmp_path.iterdir())


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", CLAIM, tmp_path, "a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    claims = Claims(tmp_path)
    assert not claims.take(["a"])
    other.kill()
    other.communicate()
    assert claims.take(["a"])


def test_what_killed_processes_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".claims").mkdir()
    (tmp_path / ".claims" / "a").touch()
    Claims(tmp_path).clear()
    assert not list(tmp_path.iterdir())
