"""Verdicts are kept: added, never changed, on the disk when they are confirmed."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mammoseg.reviewer.errors import ReviewError
from mammoseg.reviewer.store import COLUMNS, VerdictStore
from mammoseg.reviewer.verdict import Posted


def rows(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as database:
        return database.execute(f"SELECT {what} FROM verdicts ORDER BY number").fetchall()


@pytest.fixture
def store(tmp_path: Path) -> VerdictStore:
    return VerdictStore(tmp_path / "verdicts.sqlite")


def test_a_changed_verdict_is_a_new_row(store: VerdictStore, verdict: Callable[..., Any]) -> None:
    for birads in (2, 5):
        store.add("k", "e1", Posted(**verdict("AB", left={"birads": birads})), "ab", blinded=True)
    what = "number, laterality, birads, blinded, checkpoint_sha256"
    assert rows(store.path, what) == [
        (1, "R", 2, 1, "ab"),
        (2, "L", 2, 1, "ab"),
        (3, "R", 2, 0, "ab"),
        (4, "L", 5, 0, "ab"),
    ]
    assert [(row["laterality"], row["birads"]) for row in store.latest("AB", "k")] == [("R", 2), ("L", 5)]
    assert store.latest("CD", "k") == []
    assert (store.has("AB", "k"), store.has("CD", "k"), store.has("AB", "other")) == (True, False, False)


def test_the_file_itself_refuses_changes(store: VerdictStore, verdict: Callable[..., Any]) -> None:
    store.add("k", "e1", Posted(**verdict("AB")), "ab", blinded=False)
    before = rows(store.path)
    for change in ("UPDATE verdicts SET birads = 1", "DELETE FROM verdicts"):
        with sqlite3.connect(store.path) as database, pytest.raises(sqlite3.IntegrityError, match="verdicts are kept"):
            database.execute(change)
    assert rows(store.path) == before


def test_it_is_on_the_disk_when_it_is_confirmed(store: VerdictStore) -> None:
    with store._open() as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"


def test_several_at_once_lose_nothing(store: VerdictStore, verdict: Callable[..., Any]) -> None:
    def add(number: int) -> int:
        return store.add(f"k{number % 5}", "e", Posted(**verdict(f"R{number}")), "ab", blinded=False)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(add, range(40)))
    assert sorted(numbers) == list(range(2, 82, 2))
    assert store.last_number() == 80


def test_an_empty_table_has_its_columns(store: VerdictStore) -> None:
    assert store.csv() == ",".join(COLUMNS) + "\n"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes of someone " * 100)
    with pytest.raises(ReviewError, match="Choose another --out"):
        VerdictStore(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("notes")
    with sqlite3.connect(tmp_path / "other.sqlite") as database:
        database.execute("CREATE TABLE verdicts (number INTEGER, reader TEXT, exam_key TEXT)")
    with pytest.raises(ReviewError, match="Choose another --out"):
        VerdictStore(tmp_path / "other.sqlite")
