"""A failure is a file of its own, and errors.csv the table of them."""

from pathlib import Path

import pytest

from mammoseg.io.errors import RunFileError
from mammoseg.io.failures import Failures
from mammoseg.io.ledger import read_errors


def test_two_processes_lose_none(tmp_path: Path) -> None:
    """Each knows only its own, whoever writes the table has all."""
    first, second = Failures(tmp_path), Failures(tmp_path)
    first.add("a", Path("a.png"), "read", ValueError("cut\nshort"))
    second.add("b", Path("b.png"), "write", OSError("denied"))
    assert "a" in second
    first.write_table()
    table = read_errors(tmp_path)
    assert table["image_id"].tolist() == first.image_ids() == ["a", "b"]
    assert table["message"].tolist() == ["cut short", "denied"]
    assert table["error"].tolist() == ["ValueError", "OSError"]
    second.remove("a")
    second.remove("b", step="read")
    second.write_table()
    assert read_errors(tmp_path)["image_id"].tolist() == ["b"]
    second.remove("b", step="write")
    second.write_table()
    assert not (tmp_path / "errors.csv").exists()


def test_the_latest_of_an_image_counts(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    for step in ("read", "write"):
        failures.add("a", "a.png", step, ValueError("why"))
    failures.write_table()
    assert read_errors(tmp_path)["step"].tolist() == ["write"]


def test_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "a.json").write_text("{")
    with pytest.raises(RunFileError, match=r"a\.json is no failure .*Delete it"):
        Failures(tmp_path).write_table()
