"""What is left out is told with its first items, and listed in full."""

import logging
from pathlib import Path

import pytest

from mammoseg.ingest.omissions import Omission, Omissions, tell, write_omissions


def test_tell_names_the_first_and_says_nothing_about_none(caplog: pytest.LogCaptureFixture) -> None:
    tell("%s: %d things: %s", Path("r"), [])
    assert not caplog.records
    tell("%s: %d things: %s", Path("r"), range(7, 0, -1))
    assert caplog.record_tuples[0][1:] == (logging.WARNING, "r: 7 things: 1, 2, 3, 4, 5 ... and 2 more")


def test_entries_are_told_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    left_out = Omissions()
    left_out.add(Path("t.csv"), "rows cannot be used", [12, 3])
    left_out.add(Path("root"), "images have no file", {"b", "a"})
    left_out.add(Path("root"), "images are not there", [])
    assert caplog.messages == ["t.csv: 2 rows cannot be used: rows 3, 12", "root: 2 images have no file: a, b"]
    assert left_out.entries == [
        *(Omission(Path("t.csv"), item, "rows cannot be used") for item in ("row 3", "row 12")),
        *(Omission(Path("root"), item, "images have no file") for item in ("a", "b")),
    ]


def test_the_list_is_written_or_deleted(tmp_path: Path) -> None:
    path = tmp_path / "m_left_out.csv"
    write_omissions(path, [])
    assert not path.exists()
    write_omissions(path, [Omission(Path("t.csv"), "a, b", "why")])
    assert path.read_text() == 'source,item,why\nt.csv,"a, b",why\n'
    write_omissions(path, [])
    assert not path.exists()
