"""The error ledger: on the disk at once, one entry per image, readable after a crash."""

import logging
from pathlib import Path

import pytest

from mammoseg.io.errors import RunFileError
from mammoseg.io.ledger import COLUMNS, Ledger, read_errors


def test_entries_are_on_the_disk_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "run" / "errors.csv")
    assert not ledger.path.exists()
    ledger.add("a", Path("/x/a, b.png"), "read", ValueError('cut "short"\nin two lines'))
    ledger.add("b", "/x/b.png", "prepare", RuntimeError("\udce4ü"))
    assert ledger.path.read_text(encoding="utf-8") == (
        "image_id,path,step,error,message\n"
        'a,"/x/a, b.png",read,ValueError,"cut ""short"" in two lines"\n'
        "b,/x/b.png,prepare,RuntimeError,\\udce4ü\n"
    )
    assert (len(ledger), ledger.image_ids(), ledger.counts()) == (2, ["a", "b"], {"read": 1, "prepare": 1})


def test_a_later_run_replaces_and_removes(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    for name in ("a", "b", "NA"):
        Ledger(path).add(name, f"{name}.png", "read", ValueError("first"))
    ledger = Ledger(path)
    ledger.add("a", "a.png", "predict", ValueError("second"))
    ledger.add("a", "a.png", "predict", ValueError("second"))
    ledger.remove("b", step="predict")
    assert ledger.image_ids() == ["NA", "a", "b"]
    ledger.remove("b", step="read")
    ledger.remove("never failed")
    table = read_errors(tmp_path)
    assert list(table) == list(COLUMNS)
    assert table["image_id"].tolist() == ["a", "NA"]
    assert table["message"].tolist() == ["second", "first"]


def test_the_half_line_of_a_killed_run_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "errors.csv"
    for name in ("a", "b"):
        Ledger(path).add(name, f"{name}.png", "read", ValueError("x"))
    path.write_bytes(path.read_bytes()[:-7])
    with caplog.at_level(logging.WARNING):
        ledger = Ledger(path)
    assert "incomplete" in caplog.text
    assert ledger.image_ids() == ["a"]
    ledger.add("c", "c.png", "read", ValueError("x"))
    assert read_errors(tmp_path)["image_id"].tolist() == ["a", "c"]


def test_no_file_means_no_errors(tmp_path: Path) -> None:
    table = read_errors(tmp_path)
    assert (list(table), len(table)) == (list(COLUMNS), 0)
    assert Ledger(tmp_path / "errors.csv").counts() == {}


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"image_id,path,step,error,message\na,b\n", b"\xff\xfe\n"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "errors.csv").write_bytes(data)
    with pytest.raises(RunFileError, match="no error ledger"):
        read_errors(tmp_path)
    with pytest.raises(RunFileError, match="no error ledger"):
        Ledger(tmp_path / "errors.csv")


def test_entries_are_no_formulas_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    Ledger(path).add("a", "=cmd|' /C calc'!A0.png", "read", ValueError("-1+2 @x"))
    Ledger(path).add("b", "b.png", "read", ValueError("'=x"))
    assert path.read_text().splitlines()[1:] == [
        "a,'=cmd|' /C calc'!A0.png,read,ValueError,'-1+2 @x",
        "b,b.png,read,ValueError,''=x",
    ]
    table = read_errors(tmp_path)
    assert table["path"].tolist() == ["=cmd|' /C calc'!A0.png", "b.png"]
    assert table["message"].tolist() == ["-1+2 @x", "'=x"]
    before = path.read_bytes()
    Ledger(path).add("b", "b.png", "read", ValueError("'=x"))
    assert path.read_bytes() == before, "the same entry"


def test_control_characters_reach_no_terminal(tmp_path: Path) -> None:
    Ledger(tmp_path / "errors.csv").add("a", "a\x1b[2J.png", "read", ValueError("x\r\n12:00:00 I forged\x07\x9b"))
    [entry] = read_errors(tmp_path).to_dict("records")
    assert (entry["path"], entry["message"]) == ("a\\x1b[2J.png", "x 12:00:00 I forged\\x07\\x9b")


def test_a_ledger_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "errors.csv").symlink_to("/dev/zero")
    with pytest.raises(RunFileError, match=r"no error ledger .*no regular file"):
        Ledger(tmp_path / "errors.csv")
