"""From a folder to a manifest: where tables and images are found, what is left out, and whose contradictions are whose."""

import os
from pathlib import Path

import pytest

from mammoseg.ingest.adapted import ROW, find_images, find_table, to_manifest
from mammoseg.ingest.omissions import Omissions
from mammoseg.ingest.tables import AdapterError


def row(path: Path, image_id: str, **more: object) -> dict[str, object]:
    return {
        **{"patient_id": "p", "exam_id": "p", "image_id": image_id, "laterality": "L", "view": "CC"},
        **{"path": str(path)},
        **more,
    }


def test_rows_without_a_file_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    there = tmp_path / "there.png"
    there.touch()
    rows = [row(tmp_path / "away.png", "x"), row(there, "y", malignant=1, scanner="A"), row(tmp_path / "away.png", "z")]
    manifest = to_manifest(rows, tmp_path, tmp_path / "out" / "masks", Omissions())
    assert manifest.table[["image_id", "malignant", "scanner"]].to_numpy().tolist() == [["y", 1, "A"]]
    assert manifest.path == tmp_path / "out" / "manifest.csv"
    assert "2 images of the tables have no file and are left out: x, z" in caplog.text
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        to_manifest(rows[:1], tmp_path, tmp_path / "masks", Omissions())


def test_contradictions_name_the_table_and_its_rows(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    rows = [
        row(tmp_path / "a.png", "x", malignant=1, **{ROW: 7}),
        row(tmp_path / "a.png", "y", malignant=0, **{ROW: 9}),
    ]
    with pytest.raises(
        AdapterError, match=r"(?s)^t\.csv: what the tables say cannot be used .* malignant differs .*7, 9"
    ):
        to_manifest(rows, tmp_path, tmp_path / "masks", Omissions(), table=Path("t.csv"))


def test_images_without_a_row_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    rows = [row(tmp_path / "a.png", "x", **{ROW: 7})]
    adapted = to_manifest(
        rows, tmp_path, tmp_path / "masks", Omissions(), [tmp_path / "a.png", tmp_path / "b" / "c.png"]
    )
    assert [(entry.source, entry.item) for entry in adapted.left_out] == [(tmp_path, "b/c.png")]
    assert "1 image files are in no row of the tables and are left out: b/c.png" in caplog.text
    assert ROW not in adapted.table


def test_images_at_another_place_are_named(tmp_path: Path) -> None:
    (tmp_path / "images" / "part 1").mkdir(parents=True)
    (tmp_path / "images" / "part 1" / "a.png").touch()
    with pytest.raises(AdapterError, match=r"images/part 1/a\.png is there, but was looked for at images/a\.png: move"):
        to_manifest([row(tmp_path / "images" / "a.png", "x")], tmp_path, tmp_path / "masks", Omissions())


def test_images_one_folder_deeper_are_named(tmp_path: Path) -> None:
    (tmp_path / "download" / "images").mkdir(parents=True)
    with pytest.raises(AdapterError, match=r"The images are in .*download: give that folder, or move the tables"):
        to_manifest([row(tmp_path / "images" / "a.png", "x")], tmp_path, tmp_path / "masks", Omissions())


def test_a_table_is_found_and_the_folders_around_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "set" / "csv").mkdir(parents=True)
    (tmp_path / "set" / "images").mkdir()
    table = tmp_path / "set" / "csv" / "t.csv"
    table.touch()
    places = ("t.csv", "csv/t.csv")
    assert find_table(tmp_path / "set", places, "a table") == table
    for wrong in (tmp_path, tmp_path / "set" / "images"):
        with pytest.raises(
            AdapterError, match=rf"{wrong}: t\.csv and csv/t\.csv cannot .*Expected a table\. It is in .*set: give"
        ):
            find_table(wrong, places, "a table")
    table.unlink()
    with pytest.raises(AdapterError, match=r"Expected a table\. Check the path"):
        find_table(tmp_path, places, "a table")
    with pytest.raises(AdapterError, match=r"there is no such folder\. Expected a table\."):
        find_table(tmp_path / "nowhere", places, "a table")


def test_images_are_found_through_links_and_whatever_the_case_of_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").mkdir()
    for name in ("1.PNG", "1.dcm", "2.Dcm", "3.txt"):
        (tmp_path / "disk" / name).touch()
    (tmp_path / "root" / "10006").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "10006" / "loop").symlink_to(tmp_path / "root")
    found = find_images(tmp_path / "root", (".dcm", ".png"), Omissions())
    assert {name: path.name for name, path in found.items()} == {"10006/1": "1.dcm", "10006/2": "2.Dcm"}
    assert find_images(tmp_path / "root", (".dcm",), Omissions(), "20/") == {}
    assert find_images(tmp_path / "nowhere", (".dcm",), Omissions()) == {}


def test_what_cannot_be_looked_into_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "\x1b[31m1.dcm").touch()
    (tmp_path / "images" / os.fsdecode(b"\xff.dcm")).touch()
    left_out = Omissions()
    assert find_images(tmp_path, (".dcm",), left_out, "images/") == {}
    why = "(the name holds control characters or is no valid text: rename it)"
    assert [entry.item for entry in left_out.entries] == [rf"images/\x1b[31m1.dcm {why}", rf"images/\xff.dcm {why}"]
    assert "2 files or folders cannot be looked into" in caplog.text
    assert "\x1b" not in caplog.text
