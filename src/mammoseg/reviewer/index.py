"""The exams of a predictions folder that may be growing, in an SQLite file: which there are, in which order they are read, how far
a reader is.

The file is made of the records and can be deleted. A record is read when it appears or its time changes; a folder in which nothing
has changed costs one look at its own time.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammoseg.data.exam_names import exam_key
from mammoseg.io.errors import RunFileError
from mammoseg.io.runs import is_safe_id, read_record
from mammoseg.report.exams import highest_scores, mean_scores
from mammoseg.report.hanging import SIDES

PAGE = 100
"""Exams of the list that are sent at once."""
_BATCH = 500  # records between two commits: a list that is being made is shown as far as it is
_SETTLED = 2.0  # seconds after which a folder's time would have changed with its content
_FORMAT = 1
_PATIENCE = 30.0
_TABLES = """
CREATE TABLE images (image_id TEXT PRIMARY KEY, state INTEGER, exam_key TEXT, laterality TEXT, scores TEXT);
CREATE INDEX images_of ON images (exam_key);
CREATE TABLE exams (exam_key TEXT PRIMARY KEY, patient_id TEXT, exam_id TEXT, images INTEGER, scores TEXT, position INTEGER);
CREATE INDEX exams_in_order ON exams (position, patient_id, exam_id);
CREATE TABLE made_of (text TEXT);
"""
_ORDER = "position, patient_id, exam_id"
_MINE = "exam_key IN (SELECT exam_key FROM kept.verdicts WHERE reader = :reader)"


@dataclass(frozen=True)
class ListedExam:
    """An exam as the index knows it."""

    exam_key: str
    """Stands for patient and exam in addresses and file names."""
    patient_id: str
    exam_id: str
    sides: Mapping[str, str]
    """image_id -> R or L."""


@dataclass(frozen=True)
class Wanted:
    """Which part of the list is asked for."""

    text: str = ""
    """In the exam id."""
    done: bool | None = None
    """With a verdict of the reader, or without; None: all."""
    by: str = ""
    """The class whose highest scores come first; empty: the order of the work list."""
    start: int = 0


class ExamIndex:
    """May be used by several threads at once; `refresh` by one."""

    def __init__(self, path: Path, folder: Path, verdicts: Path, order: Sequence[str] | None) -> None:
        """`verdicts`: file of the VerdictStore. `order`: the exam ids of the work list; None: all exams, by their ids."""
        self.path, self.folder, self.verdicts = path, folder, verdicts
        self._order = None if order is None else {exam_id: number for number, exam_id in reversed([*enumerate(order)])}
        self._looked_at: tuple[int, float] | None = None
        about = f"{_FORMAT} {folder.resolve()}"
        with suppress(sqlite3.DatabaseError), self._open() as database:
            if database.execute("SELECT text FROM made_of").fetchall() == [(about,)]:
                self._put_in_order(database)
                return
        for name in ("", "-wal", "-shm"):
            Path(f"{path}{name}").unlink(missing_ok=True)
        with self._open() as database:
            database.executescript(_TABLES)
            database.execute("INSERT INTO made_of VALUES (?)", (about,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")  # it can be made again
            database.execute("ATTACH ? AS kept", (str(self.verdicts),))
            yield database
        finally:
            database.close()

    def _put_in_order(self, database: sqlite3.Connection) -> None:
        exams = database.execute("SELECT exam_id, exam_key FROM exams").fetchall()
        places = [(self._position(exam_id), key) for exam_id, key in exams]
        database.execute("BEGIN")
        database.executemany("UPDATE exams SET position = ? WHERE exam_key = ?", places)
        database.execute("COMMIT")

    def _position(self, exam_id: str) -> int | None:
        return 0 if self._order is None else self._order.get(exam_id)

    def refresh(self) -> set[str]:
        """Take in what is new, changed or gone in the folder; returns the keys of exams that are gone."""
        records = self.folder / "records"
        now, changed_at = time.time(), records.stat().st_mtime_ns if records.is_dir() else 0
        if self._looked_at and self._looked_at[0] == changed_at and self._looked_at[1] > changed_at / 1e9 + _SETTLED:
            return set()
        found = _states(records)
        with self._open() as database:
            known = dict(database.execute("SELECT image_id, state FROM images"))
            todo = sorted(known.keys() - found.keys()) + sorted(i for i, s in found.items() if known.get(i) != s)
            gone = set()
            for start in range(0, len(todo), _BATCH):
                gone |= self._take(database, todo[start : start + _BATCH], found)
        self._looked_at = changed_at, now
        return gone

    def _take(self, database: sqlite3.Connection, image_ids: Sequence[str], found: Mapping[str, int]) -> set[str]:
        rows, names = [], {}
        for image_id in (image_id for image_id in image_ids if image_id in found):
            key, about = None, None
            with suppress(RunFileError):
                about = read_record(self.folder, image_id).about
            if about and about.laterality in SIDES:
                key = exam_key(about.patient_id, about.exam_id)
                names[key] = _plain(about.patient_id), _plain(about.exam_id)
            scores = json.dumps(dict(about.scores)) if about else "{}"
            rows.append((image_id, found[image_id], key, about.laterality if about else "", scores))
        database.execute("BEGIN")
        keys = set(names)
        for image_id in image_ids:
            keys |= {k for (k,) in database.execute("SELECT exam_key FROM images WHERE image_id = ?", (image_id,)) if k}
            database.execute("DELETE FROM images WHERE image_id = ?", (image_id,))
        database.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", rows)
        gone = {key for key in keys if not self._sum_up(database, key, names.get(key))}
        database.execute("COMMIT")
        return gone

    def _sum_up(self, database: sqlite3.Connection, key: str, names: tuple[str, str] | None) -> bool:
        """Write the row of an exam; whether it still has images."""
        query = "SELECT laterality, scores FROM images WHERE exam_key = ?"
        images = [(side, json.loads(scores)) for side, scores in database.execute(query, (key,))]
        if not images:
            database.execute("DELETE FROM exams WHERE exam_key = ?", (key,))
            return False
        of_breasts = [mean_scores([scores for side, scores in images if side == each]) for each in SIDES]
        sums = len(images), json.dumps(highest_scores(of_breasts))
        if names:
            row = (key, *names, *sums, self._position(names[1]))
            database.execute("INSERT OR REPLACE INTO exams VALUES (?, ?, ?, ?, ?, ?)", row)
        else:
            database.execute("UPDATE exams SET images = ?, scores = ? WHERE exam_key = ?", (*sums, key))
        return True

    def find(self, key: str) -> ListedExam | None:
        """An exam of the work list; None: there is none with this key."""
        query = "SELECT patient_id, exam_id FROM exams WHERE exam_key = ? AND position IS NOT NULL"
        with self._open() as database:
            exam = database.execute(query, (key,)).fetchone()
            sides = dict(database.execute("SELECT image_id, laterality FROM images WHERE exam_key = ?", (key,)))
        return ListedExam(key, exam[0], exam[1], sides) if exam else None

    def progress(self, reader: str) -> tuple[int, int]:
        """How many exams of the work list a reader has given a verdict on, and how many there are."""
        query = f"SELECT coalesce(sum({_MINE}), 0), count(*) FROM exams WHERE position IS NOT NULL"
        with self._open() as database:
            done, total = database.execute(query, {"reader": reader}).fetchone()
        return done, total

    def next(self, reader: str, after: str = "") -> str | None:
        """The first exam without a verdict of the reader after another one, or, behind the last one, from the first on. None: all
        have one."""
        todo = f"SELECT exam_key FROM exams WHERE position IS NOT NULL AND NOT {_MINE}"
        behind = f"({_ORDER}) > (SELECT {_ORDER} FROM exams WHERE exam_key = :after)"
        with self._open() as database:
            for query in (f"{todo} AND {behind}", f"{todo} AND exam_key != :after", todo):
                found = database.execute(f"{query} ORDER BY {_ORDER} LIMIT 1", {"reader": reader, "after": after})
                if row := found.fetchone():
                    return str(row[0])
        return None

    def listed(self, reader: str, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
        """At most PAGE exams (key, exam_id, images, scores, done) as wanted, and how many there are of these."""
        where, order = "position IS NOT NULL", _ORDER
        values = {"reader": reader, "text": wanted.text, "by": wanted.by, "start": wanted.start, "most": PAGE}
        if wanted.text:
            where += " AND instr(lower(exam_id), lower(:text))"
        if wanted.done is not None:
            where += f" AND {'' if wanted.done else 'NOT '}{_MINE}"
        if wanted.by:
            order = f"(SELECT value FROM json_each(scores) WHERE key = :by) DESC, {_ORDER}"
        rows = f"SELECT exam_key, exam_id, images, scores, {_MINE} FROM exams WHERE {where} ORDER BY {order}"
        with self._open() as database:
            found = database.execute(f"{rows} LIMIT :most OFFSET :start", values).fetchall()
            n = int(database.execute(f"SELECT count(*) FROM exams WHERE {where}", values).fetchone()[0])
        return [
            {"key": key, "exam_id": exam_id, "images": images, "scores": json.loads(scores), "done": bool(done)}
            for key, exam_id, images, scores, done in found
        ], n

    def unread_images(self) -> int:
        """Images whose records are damaged or tell no side."""
        with self._open() as database:
            return int(database.execute("SELECT count(*) FROM images WHERE exam_key IS NULL").fetchone()[0])

    def classes(self) -> list[str]:
        """Those of the first exam."""
        with self._open() as database:
            row = database.execute(f"SELECT scores FROM exams WHERE position IS NOT NULL ORDER BY {_ORDER} LIMIT 1")
            first = row.fetchone()
        return list(json.loads(first[0])) if first else []


def _states(records: Path) -> dict[str, int]:
    """image_id -> what changes with every writing of its record."""
    found = {}
    with suppress(FileNotFoundError), os.scandir(records) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and is_safe_id(image_id := entry.name.removesuffix(".json")):
                with suppress(FileNotFoundError):
                    found[image_id] = entry.stat().st_mtime_ns
    return found


def _plain(text: str) -> str:
    """Text that any database and page takes."""
    return text.encode("utf-8", "backslashreplace").decode()
