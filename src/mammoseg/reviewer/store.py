"""The verdicts of all readers, in an SQLite file that only grows.

A changed verdict is a new row. The file itself refuses to change or delete one. A row that was added is on the disk (write-ahead
log, synchronous=FULL): whatever ends the process, it is there.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from mammoseg.io.cells import csv_text
from mammoseg.reviewer.errors import ReviewError
from mammoseg.reviewer.verdict import Posted

COLUMNS = (
    "exam_id",
    "laterality",
    "reader",
    "birads",
    "score",
    "ellipses",
    "seconds",
    "comment",
    "truth_seen",
    "exam_key",
)
"""Of the CSV table, as docs/reference/verdicts.md lists them."""
_PATIENCE = 30.0  # seconds that a writer waits for another one
_TABLE = """
CREATE TABLE IF NOT EXISTS verdicts (
  number INTEGER PRIMARY KEY AUTOINCREMENT, saved_at TEXT NOT NULL, exam_key TEXT NOT NULL, exam_id TEXT NOT NULL,
  laterality TEXT NOT NULL, reader TEXT NOT NULL, birads INTEGER, score INTEGER, ellipses TEXT NOT NULL, seconds REAL NOT NULL,
  comment TEXT NOT NULL, truth_seen INTEGER NOT NULL, blinded INTEGER NOT NULL, checkpoint_sha256 TEXT NOT NULL,
  page TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS verdicts_of ON verdicts (reader, exam_key);
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON verdicts BEGIN SELECT RAISE(ABORT, 'verdicts are kept'); END;
CREATE TRIGGER IF NOT EXISTS never_deleted BEFORE DELETE ON verdicts BEGIN SELECT RAISE(ABORT, 'verdicts are kept'); END;
"""
_ADD = """
INSERT INTO verdicts (saved_at, exam_key, exam_id, laterality, reader, birads, score, ellipses, seconds, comment, truth_seen,
  blinded, checkpoint_sha256, page)
VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class VerdictStore:
    """May be used by several threads at once."""

    def __init__(self, path: Path) -> None:
        """Made if missing. Raises ReviewError if the file is something else."""
        self.path = path
        self._adding = Lock()  # waiting for it is fairer than waiting for the file
        try:
            with self._open() as database:
                database.executescript(_TABLE)
                database.execute(f"SELECT {', '.join(COLUMNS)} FROM verdicts LIMIT 1")
        except sqlite3.DatabaseError as error:
            raise ReviewError(
                f"{path}: cannot be used ({error}). Expected the verdicts of an earlier review, or no file. Choose another --out, "
                "or put the file back from a copy."
            ) from None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            yield database
        finally:
            database.close()

    def add(self, exam_key: str, exam_id: str, posted: Posted, checkpoint_sha256: str, blinded: bool) -> int:
        """Keep a verdict, all breasts or none; returns the number of its last row once all are on the disk.

        `blinded`: the pages show nothing of the model before a verdict. It is noted only of a reader's first verdict on an exam;
        who has seen the truth once has seen it ever after.
        """
        with self._adding, self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            before = "FROM verdicts WHERE reader = ? AND exam_key = ?"
            of = (posted.reader, exam_key)
            seen, known = database.execute(f"SELECT coalesce(max(truth_seen), 0), count(*) {before}", of).fetchone()
            for each in posted.verdicts:
                ellipses = json.dumps([ellipse.model_dump() for ellipse in each.ellipses], separators=(",", ":"))
                said = (each.birads, each.score, ellipses, each.seconds, each.comment, int(seen or each.truth_seen))
                row = (exam_key, exam_id, each.laterality, posted.reader, *said, int(blinded and not known))
                number = database.execute(_ADD, (*row, checkpoint_sha256, posted.page)).lastrowid
            database.execute("COMMIT")
        return int(number or 0)

    def has(self, reader: str, exam_key: str) -> bool:
        """Whether a reader has given a verdict on an exam."""
        query = "SELECT 1 FROM verdicts WHERE reader = ? AND exam_key = ? LIMIT 1"
        with self._open() as database:
            return database.execute(query, (reader, exam_key)).fetchone() is not None

    def latest(self, reader: str, exam_key: str) -> list[dict[str, Any]]:
        """The last verdict of a reader on an exam: for each breast laterality, birads, score, ellipses, comment."""
        names = ("laterality", "birads", "score", "ellipses", "comment")
        query = f"""SELECT {", ".join(names)} FROM verdicts WHERE number IN
            (SELECT max(number) FROM verdicts WHERE reader = ? AND exam_key = ? GROUP BY laterality)"""
        with self._open() as database:
            rows = [dict(zip(names, row, strict=True)) for row in database.execute(query, (reader, exam_key))]
        return [row | {"ellipses": json.loads(row["ellipses"])} for row in rows]

    def last_number(self) -> int:
        """Of the newest row; 0 without any."""
        with self._open() as database:
            return int(database.execute("SELECT coalesce(max(number), 0) FROM verdicts").fetchone()[0])

    def csv(self, reader: str | None = None) -> str:
        """All verdicts, or those of a reader, in the order in which they were given, as docs/reference/verdicts.md has them."""
        query = f"SELECT {', '.join(COLUMNS)} FROM verdicts WHERE coalesce(? = reader, 1) ORDER BY number"
        with self._open() as database:
            rows = database.execute(query, (reader,)).fetchall()
        return csv_text(pd.DataFrame([_cells(*row) for row in rows], columns=list(COLUMNS), dtype=object))


def _cells(*row: Any) -> dict[str, str]:
    """As viewer/verdict.js writes them."""
    cells = {name: "" if value is None else str(value) for name, value in zip(COLUMNS, row, strict=True)}
    seconds, seen = f"{float(cells['seconds']):.1f}", cells["truth_seen"] == "1"
    return cells | {"seconds": seconds.removesuffix(".0"), "truth_seen": str(seen).lower()}
