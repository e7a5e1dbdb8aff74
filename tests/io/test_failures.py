"""A failure is a file of its own, and errors.csv the table of them."""

from pathlib import Path

import pytest

from mammoseg.io.errors import RunFileError
from mammoseg.io.failures import COLUMNS, Failures


def test_two_processes_lose_none(tmp_path: Path) -> None:
    """Each knows only its own, whoever writes the table has all."""
    first, second = Failures(tmp_path), Failures(tmp_path)
    first.add("a", Path("a.png"), "read", ValueError("cut\nshort"))
    second.add("b", Path("b.png"), "write", OSError("denied"))
    assert "a" in second
    first.write_table()
    table = Failures(tmp_path).read()
    assert table["image_id"].tolist() == first.image_ids() == ["a", "b"]
    assert table["message"].tolist() == ["cut short", "denied"]
    assert table["error"].tolist() == ["ValueError", "OSError"]
    second.remove("a")
    second.remove("b", step="read")
    second.write_table()
    assert Failures(tmp_path).read()["image_id"].tolist() == ["b"]
    second.remove("b", step="write")
    second.write_table()
    assert not (tmp_path / "errors.csv").exists()


def test_the_latest_of_an_image_counts(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    for step in ("read", "write"):
        failures.add("a", "a.png", step, ValueError("why"))
    failures.write_table()
    assert Failures(tmp_path).read()["step"].tolist() == ["write"]


def test_all_are_forgotten(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.add("a", "a.png", "read", ValueError("why"))
    failures.write_table()
    failures.clear()
    assert not failures.image_ids()
    assert not failures.table.exists()


def test_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "a.json").write_text("{")
    with pytest.raises(RunFileError, match=r"a\.json is no failure .*Delete it"):
        Failures(tmp_path).write_table()


def test_a_failure_is_on_the_disk_at_once(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.add("a", Path("/x/a, b.png"), "read", ValueError('cut "short"\nin two lines'))
    failures.add("b", "/x/b.png", "prepare", RuntimeError("\udce4ü"))
    assert Failures(tmp_path).image_ids() == ["a", "b"]
    failures.write_table()
    assert failures.table.read_text(encoding="utf-8") == (
        "image_id,path,step,error,message\n"
        'a,"/x/a, b.png",read,ValueError,"cut ""short"" in two lines"\n'
        "b,/x/b.png,prepare,RuntimeError,\\udce4ü\n"
    )


def test_no_folder_means_no_failures(tmp_path: Path) -> None:
    table = Failures(tmp_path).read()
    assert (list(table), len(table)) == (list(COLUMNS), 0)


def test_names_that_look_like_nothing(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.add("NA", "", "read", ValueError("x"))
    failures.write_table()
    assert Failures(tmp_path).read()[["image_id", "path"]].to_numpy().tolist() == [["NA", ""]]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"image_id": "a"}', b"\xff\xfe\n"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "a.json").write_bytes(data)
    with pytest.raises(RunFileError, match=r"a.json is no failure"):
        Failures(tmp_path).read()


def test_entries_are_no_formulas_and_read_back(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.add("a", "=cmd|' /C calc'!A0.png", "read", ValueError("-1+2 @x"))
    failures.add("b", "b.png", "read", ValueError("'=x"))
    failures.write_table()
    assert failures.table.read_text().splitlines()[1:] == [
        "a,'=cmd|' /C calc'!A0.png,read,ValueError,'-1+2 @x",
        "b,b.png,read,ValueError,''=x",
    ]
    table = Failures(tmp_path).read()
    assert table["path"].tolist() == ["=cmd|' /C calc'!A0.png", "b.png"]
    assert table["message"].tolist() == ["-1+2 @x", "'=x"]


def test_control_characters_reach_no_terminal(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.add("a", "a\x1b[2J.png", "read", ValueError("x\r\n12:00:00 I forged\x07\x9b"))
    failures.write_table()
    [entry] = Failures(tmp_path).read().to_dict("records")
    assert (entry["path"], entry["message"]) == ("a\\x1b[2J.png", "x 12:00:00 I forged\\x07\\x9b")


def test_a_failure_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "failures").mkdir()
    (tmp_path / "failures" / "a.json").symlink_to("/dev/zero")
    with pytest.raises(RunFileError, match=r"is no failure .*no regular file"):
        Failures(tmp_path).read()
