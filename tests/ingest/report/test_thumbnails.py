"""The pictures beside the quality page: one per row, and none of an earlier scan."""

from pathlib import Path, PurePosixPath

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import Row
from mammoseg.ingest.report.thumbnails import write_thumbnails


def row(thumbnail: bytes | None) -> Row:
    return Row(Seen(PurePosixPath("x"), "used", thumbnail=thumbnail), "Geheim", "e", "i", ())


def test_one_per_row_that_has_one(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_thumbnails(folder, [row(b"a"), row(None), row(b"c")])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"00002.jpg": b"a", "00004.jpg": b"c"}


def test_those_of_an_earlier_scan_go_and_files_of_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write_thumbnails(folder, [row(b"a"), row(b"b")])
    (folder / "mine.jpg").write_bytes(b"mine")
    (tmp_path / ".pictures.part").mkdir()
    (tmp_path / ".pictures.part" / "00009.jpg").write_bytes(b"left by a scan that was killed")
    write_thumbnails(folder, [row(b"c")])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"00002.jpg": b"c", "mine.jpg": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
