"""Rows about one very file: told by narrow keys alone, and by none that could mean another."""

from pathlib import Path, PurePosixPath

import pytest

from mammoseg.ingest.file_rows import FileRows, rows_of_files
from mammoseg.ingest.label_table import LabelError, read_labels

SIDES = ("laterality", "view")


def look(tmp_path: Path, names: list[str], *lines: str, maps: tuple[str, ...] = ()) -> FileRows:
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(lines) + "\n")
    return rows_of_files(read_labels(table, maps), [PurePosixPath(name) for name in names], tmp_path / "images")


@pytest.mark.parametrize(
    ("name", "key", "cell"),
    [
        ("a/7.png", "path", "a/7.png"),
        ("a/7.png", "path", "images/a/7.png"),
        ("a/7.png", "File name", "7.PNG"),
        ("a/7.png", "file", "C:\\films\\7.png"),
        ("a/7.png", "file", "7"),
        ("a/7.png", "image_id", "7"),
        ("a/7.dcm", "image id", "7.0"),
        ("0012.png", "image_id", "12"),
    ],
)
def test_the_file_of_a_row(tmp_path: Path, name: str, key: str, cell: str) -> None:
    found = look(tmp_path, [name, "8.png"], f"{key},Patient,side,view,malignant", f"{cell},P1,Left,mlo,1")
    assert found.files == {2: PurePosixPath(name)}
    assert found.told == {PurePosixPath(name): {"laterality": "L", "view": "MLO", "patient": "P1"}}


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["a/7.png", "b/7.png"], ["7.png,,L"]),  # two files of the name
        (["a/7.png", "b/7.png"], [",7,L"]),
        (["7.png"], ["a/7.png,,L", "b/7.png,,R"]),  # two rows
        (["07.png", "7.0.png"], [",007,L"]),
        (["7.png", "8.png"], ["7.png,8,L"]),  # the keys contradict each other
        (["7.png"], ["9.png,9,L"]),
    ],
)
def test_what_could_mean_another_file_tells_nothing(tmp_path: Path, names: list[str], rows: list[str]) -> None:
    assert look(tmp_path, names, "path,image_id,laterality,malignant", *(f"{row},0" for row in rows)) == FileRows()


def test_the_exact_path_counts_among_files_of_one_name(tmp_path: Path) -> None:
    found = look(tmp_path, ["a/7.png", "b/7.png"], "path,side,malignant", "a/7.png,L,0", "b/7.png,R,0")
    assert [told["laterality"] for told in found.told.values()] == ["L", "R"]


def test_an_image_id_of_another_system_does_not_hide_the_file(tmp_path: Path) -> None:
    found = look(tmp_path, ["10_77.jpg"], "file,image_id,patient_id,malignant", "10_77.jpg,77,10.0,0")
    assert found.told == {PurePosixPath("10_77.jpg"): {"patient": "10"}}


def test_a_patient_is_no_file(tmp_path: Path) -> None:
    assert look(tmp_path, ["P1.png"], "patient_id,side,malignant", "P1,L,0") == FileRows()


def test_words_of_ones_own_for_sides(tmp_path: Path) -> None:
    found = look(tmp_path, ["7.png"], "file,Seite,malignant", "7.png,links,0", maps=("Seite:links=left",))
    assert found.told[PurePosixPath("7.png")] == {"laterality": "L"}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("R-CC", {"laterality": "R", "view": "CC"}),
        ("LMLO", {"laterality": "L", "view": "MLO"}),
        ("CC SPOT", {"view": "CC", "flag": "spot"}),
        ("MLO-ID", {"view": "MLO"}),
        ("frontal", {}),
    ],
)
def test_a_view_as_people_write_it(tmp_path: Path, cell: str, told: dict[str, str]) -> None:
    found = look(tmp_path, ["7.png"], "file,view,malignant", f"7.png,{cell},0")
    assert found.told.get(PurePosixPath("7.png"), {}) == told


@pytest.mark.parametrize(
    ("rows", "listed"),
    [
        (["7.png,P1,L,CC", "7.png,P1,R,CC"], "row 3"),
        (["7.png,P1,,CC", "7,P2,L,CC"], "row 3"),
        (["7.png,P1,L,RCC"], "row 2"),
    ],
)
def test_rows_of_one_file_that_contradict_each_other(tmp_path: Path, rows: list[str], listed: str) -> None:
    lines = ("path,patient_id,laterality,view,malignant", *(f"{row},0" for row in rows))
    with pytest.raises(LabelError, match=f"several sides, views, patients or exams of one file: {listed}\n"):
        look(tmp_path, ["7.png"], *lines)
