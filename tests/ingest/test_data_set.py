"""From a folder to a manifest: where tables and images are found, what is left out, and whose contradictions are whose."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mammoseg.ingest.data_set import (
    ROW,
    About,
    AdapterError,
    DataSet,
    Omission,
    agreed,
    tell,
    write_omissions,
)
from mammoseg.ingest.tables import Table, TableError

ABOUT = About("a title", "biopsy", "none", ("none",), "a url", "a table")


def data_set(root: Path) -> DataSet:
    return DataSet(root, root / "out" / "masks", ABOUT)


def row(path: Path, image_id: str, **more: object) -> dict[str, object]:
    return {
        **{"patient_id": "p", "exam_id": "p", "image_id": image_id, "laterality": "L", "view": "CC"},
        **{"path": str(path)},
        **more,
    }


def test_tell_names_the_first_and_says_nothing_about_none(caplog: pytest.LogCaptureFixture) -> None:
    tell("%s: %d things: %s", Path("r"), [])
    assert not caplog.records
    tell("%s: %d things: %s", Path("r"), range(7, 0, -1))
    assert caplog.record_tuples[0][1:] == (logging.WARNING, "r: 7 things: 1, 2, 3, 4, 5 ... and 2 more")


def test_what_is_left_out_is_told_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    data = data_set(Path("root"))
    data.leave_out(Path("t.csv"), "rows cannot be used", [12, 3])
    data.leave_out(Path("root"), "images have no file", {"b", "a"})
    data.leave_out(Path("root"), "images are not there", [])
    assert caplog.messages == ["t.csv: 2 rows cannot be used: rows 3, 12", "root: 2 images have no file: a, b"]
    assert data.left_out == [
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


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., tuple[Table, DataSet]]:
    """`table(text, ...)` writes t.csv and reads it with the column `a`."""

    def read(text: str, columns: tuple[str, ...] = ("a",), **more: object) -> tuple[Table, DataSet]:
        (tmp_path / "t.csv").write_text(text)
        data = data_set(tmp_path)
        return data.table(["t.csv"], columns, **more), data  # type: ignore[arg-type]

    return read


def test_rows_of_another_length_are_left_out(table: Callable[..., tuple[Table, DataSet]]) -> None:
    found, data = table("a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert found.column("a") == ["1", "7"]
    assert [entry.item for entry in data.left_out] == ["row 3", "row 4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "the table has a header and no rows"),
        ("a,b\n,\n\n", "the table has a header and no rows"),
        ("a,b\n1,2,3\n", "none of 1 rows has as many cells as the header"),
        ("", "columns a, b are missing; there are none"),
        ("a,c\n", "columns b are missing; there are a, c"),
    ],
)
def test_tables_that_are_refused(table: Callable[..., tuple[Table, DataSet]], text: str, message: str) -> None:
    with pytest.raises(TableError, match=rf"t\.csv: .*{message}.* Expected .*\. [A-Z]"):
        table(text, ("a", "b"))


def test_a_repeated_row_counts_once_and_a_contradiction_is_refused(
    table: Callable[..., tuple[Table, DataSet]], caplog: pytest.LogCaptureFixture
) -> None:
    found, data = table("a,b\n1,x\n2,y\n1,x \n", unique=("a",))
    assert found.column("b") == ["x", "y"]
    assert "t.csv: 1 rows repeat an earlier row, which counts once: rows 4" in caplog.text
    assert not data.left_out
    with pytest.raises(TableError, match=r"t\.csv: rows 2, 4, 5 have the same a and differ"):
        table("a,b\n1,x\n2,y\n1,x \n1,z\n", unique=("a",))


def test_fewer_rows_than_published(
    table: Callable[..., tuple[Table, DataSet]], caplog: pytest.LogCaptureFixture
) -> None:
    assert [len(table("a,b\n1,\n2,\n", published=number)[1].left_out) for number in (3, 2, None)] == [1, 0, 0]
    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "2 of 3 published rows: it is cut off, or a part"
    ]


def test_breasts_whose_rows_differ_are_unknown(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "7", "side": side, "cancer": cancer} for side, cancer in ("L0", "L1", "R1", "R1")]
    told = agreed(
        Table(Path("t.csv"), [], dict(enumerate(rows, start=2))),
        "several values",
        lambda cells: ((cells["id"], cells["side"]), cells["cancer"]),
    )
    assert told == {("7", "L"): None, ("7", "R"): "1"}
    assert caplog.messages == ["t.csv: 1 breasts have several values, labels left empty: 7 L"]


def test_rows_that_cannot_be_used_are_left_out(tmp_path: Path) -> None:
    data = data_set(tmp_path)
    table = Table(tmp_path / "t.csv", ["a"], {2: {"a": "x"}, 5: {"a": ""}})
    rows = data.rows(table, lambda cells: {"image_id": cells["a"]} if cells["a"] else None, "their ids")
    assert rows == [{ROW: 2, "image_id": "x"}]
    assert [(entry.item, entry.why) for entry in data.left_out] == [
        ("row 5", "rows left out, their ids cannot be used")
    ]


def test_masks_are_named_by_image_and_class(tmp_path: Path) -> None:
    data = data_set(tmp_path)
    file = tmp_path / "out" / "masks" / "x_benign.png"
    assert data.mask("x", "benign", np.zeros((2, 3), bool)) == {}
    assert data.mask("x", "benign", np.ones((2, 3), bool)) == {"benign_mask": str(file)}
    assert file.is_file()


def test_rows_without_a_file_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    there = tmp_path / "there.png"
    there.touch()
    rows = [row(tmp_path / "away.png", "x"), row(there, "y", malignant=1, scanner="A"), row(tmp_path / "away.png", "z")]
    manifest = data_set(tmp_path).manifest(rows)
    assert manifest.table[["image_id", "malignant", "scanner"]].to_numpy().tolist() == [["y", 1, "A"]]
    assert manifest.path == tmp_path / "out" / "manifest.csv"
    assert "2 images of the tables have no file and are left out: x, z" in caplog.text
    with pytest.raises(AdapterError, match="none of the 1 images of the tables is there"):
        data_set(tmp_path).manifest(rows[:1])


def test_contradictions_name_the_table_and_its_rows(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    rows = [
        row(tmp_path / "a.png", "x", malignant=1, **{ROW: 7}),
        row(tmp_path / "a.png", "y", malignant=0, **{ROW: 9}),
    ]
    with pytest.raises(
        AdapterError, match=r"(?s)^t\.csv: what the tables say cannot be used .* malignant differs .*7, 9"
    ):
        data_set(tmp_path).manifest(rows, table=Path("t.csv"))


def test_images_without_a_row_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.png", "b/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    rows = [row(tmp_path / "a.png", "x", **{ROW: 7})]
    adapted = data_set(tmp_path).manifest(rows, [tmp_path / "a.png", tmp_path / "b" / "c.png"])
    assert [(entry.source, entry.item) for entry in adapted.left_out] == [(tmp_path, "b/c.png")]
    assert "1 image files are in no row of the tables and are left out: b/c.png" in caplog.text
    assert ROW not in adapted.table


def test_images_at_another_place_are_named(tmp_path: Path) -> None:
    (tmp_path / "images" / "part 1").mkdir(parents=True)
    (tmp_path / "images" / "part 1" / "a.png").touch()
    with pytest.raises(AdapterError, match=r"images/part 1/a\.png is there, but was looked for at images/a\.png: move"):
        data_set(tmp_path).manifest([row(tmp_path / "images" / "a.png", "x")])


def test_images_one_folder_deeper_are_named(tmp_path: Path) -> None:
    (tmp_path / "download" / "images").mkdir(parents=True)
    with pytest.raises(AdapterError, match=r"The images are in .*download: give that folder, or move the tables"):
        data_set(tmp_path).manifest([row(tmp_path / "images" / "a.png", "x")])


def test_a_table_is_found_and_the_folders_around_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "set" / "csv").mkdir(parents=True)
    (tmp_path / "set" / "images").mkdir()
    table = tmp_path / "set" / "csv" / "t.csv"
    table.touch()
    places = ("t.csv", "csv/t.csv")
    assert data_set(tmp_path / "set").find(*places) == table
    for wrong in (tmp_path, tmp_path / "set" / "images"):
        with pytest.raises(
            AdapterError, match=rf"{wrong}: t\.csv and csv/t\.csv cannot .*Expected a table\. It is in .*set: give"
        ):
            data_set(wrong).find(*places)
    table.unlink()
    with pytest.raises(AdapterError, match=r"Expected a table\. Check the path"):
        data_set(tmp_path).find(*places)
    with pytest.raises(AdapterError, match=r"there is no such folder\. Expected a table\."):
        data_set(tmp_path / "nowhere").find(*places)


def test_images_are_found_through_links_and_whatever_the_case_of_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").mkdir()
    for name in ("1.PNG", "1.dcm", "2.Dcm", "3.txt"):
        (tmp_path / "disk" / name).touch()
    (tmp_path / "root" / "10006").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "10006" / "loop").symlink_to(tmp_path / "root")
    found = data_set(tmp_path / "root").images((".dcm", ".png"))
    assert {name: path.name for name, path in found.items()} == {"10006/1": "1.dcm", "10006/2": "2.Dcm"}
    assert data_set(tmp_path / "root").images((".dcm",), "20/") == {}
    assert data_set(tmp_path / "nowhere").images((".dcm",)) == {}


def test_what_cannot_be_looked_into_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "\x1b[31m1.dcm").touch()
    (tmp_path / "images" / os.fsdecode(b"\xff.dcm")).touch()
    data = data_set(tmp_path)
    assert data.images((".dcm",), "images/") == {}
    why = "(the name holds control characters or is no valid text: rename it)"
    assert [entry.item for entry in data.left_out] == [rf"images/\x1b[31m1.dcm {why}", rf"images/\xff.dcm {why}"]
    assert "2 files or folders cannot be looked into" in caplog.text
    assert "\x1b" not in caplog.text
