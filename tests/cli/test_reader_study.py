"""The command on a small table: what it prints, writes and refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mammoseg.cli import main

ROWS = ["case_ID,side,label,Reader1,Reader2,net"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mammoseg", "reader-study", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main.main()
        written = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, written.out, written.err

    return run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        f"{number // 2},{'LR'[number % 2]},{int(number % 3 == 0)},"
        + ",".join(f"{min(1, 0.3 * (number % 3 == 0) + 0.6 * rng.random()):.2f}" for _ in range(3))
        for number in range(60)
    ]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join([*ROWS, *rows]) + "\n")
    return path


def test_a_study(run: Callable[..., tuple[int, str, str]], table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--readers", "Reader*", "--models", "net", "--recall-at", 0.4, "--bootstrap", 50, "--out", out)
    code, printed, _ = run(table, *arguments)
    assert code == 0
    assert printed.startswith("2 readers, 60 cases (20 positive) of 30 patients\n")
    for heading in ("Readers, and models:", "Mean AUC of readers minus AUC of the model:", "Majority of the readers:"):
        assert heading in printed
    assert "random readers, random cases" in printed
    assert (out / "reader_study.json").is_file()


def test_what_is_not_there_has_its_reason(
    run: Callable[..., tuple[int, str, str]], table: Path, tmp_path: Path
) -> None:
    lines = table.read_text().splitlines()
    large = [
        lines[0],
        *(",".join([*(cells := line.split(","))[:3], f"{10 * float(cells[3])}", *cells[4:]]) for line in lines[1:]),
    ]
    table.write_text("\n".join(large) + "\n")
    arguments = ("--readers", "Reader*", "--models", "net", "--bootstrap", 50, "--out", tmp_path / "out")
    code, printed, _ = run(table, *arguments)
    assert code == 0
    assert "No hybrids: " in printed


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--readers", "Radiologist*"), 1, "no column fits 'Radiologist*'"),
        ((), 1, "no column is called like the reader"),
        (("--readers", "Reader*", "--predictions", "p"), 2, "verdicts need both"),
        (
            ("--readers", "Reader*", "--predictions", "p", "--manifest", "m.csv"),
            2,
            "verdicts of `serve` say it themselves",
        ),
        (("--readers", "Reader*", "--sensitivity", "2"), 2, "less than or equal to 1"),
        (("--readers", "Reader*", "--label", "side"), 1, "column side holds something else"),
    ],
)
def test_mistakes(
    run: Callable[..., tuple[int, str, str]],
    table: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    found, _, told = run(table, *arguments, "--out", tmp_path / "out")
    assert found == code
    assert says in " ".join(told.split())
    assert not (tmp_path / "out").exists()
