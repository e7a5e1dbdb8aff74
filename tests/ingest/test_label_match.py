"""Rows meet images and files although programs have changed ids, but only where nothing else can be meant."""

from pathlib import Path, PurePosixPath

import pytest

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import make_rows
from mammoseg.ingest.label_map import ColumnMap
from mammoseg.ingest.label_match import rows_of_files, rows_of_images
from mammoseg.ingest.label_table import LabelError, LabelTable, read_labels

ROOT = Path("/data")
Told = tuple[dict[int, PurePosixPath], dict[PurePosixPath, dict[str, str]]]


def table(*cells: dict[str, str]) -> LabelTable:
    return LabelTable(Path("/tables/t.csv"), dict(enumerate(cells)), {}, ColumnMap({}))


def found(names: list[str], *cells: dict[str, str]) -> list[tuple[list[str], bool]]:
    """For each row the paths of its images; names are PATIENT_left.png."""
    seen = []
    for name in names:
        patient = PurePosixPath(name).name.partition("_")[0]
        side = "R" if "right" in name else "L"
        seen.append(Seen(PurePosixPath(name), "used", patient=patient, exam=patient, laterality=side, view="MLO"))
    rows, _ = make_rows(seen, None)
    answers = rows_of_images(table(*cells), rows, ROOT, {}).values()
    return [([str(rows[i].seen.place) for i in images], corrected) for images, corrected in answers]


@pytest.mark.parametrize(
    ("name", "cell", "corrected"),
    [
        ("10006_left.png", "10006", False),
        ("10006_left.png", "10006.0", True),
        ("10006_left.png", "10006,00", True),
        ("0012_left.png", "12", True),
        ("000_left.png", "0", True),
        ("12_left.png", "0012", True),
        ("P002_left.png", "p002", True),
    ],
)
def test_ids_that_programs_have_changed(name: str, cell: str, corrected: bool) -> None:
    assert found([name], {"patient_id": cell}) == [([name], corrected)]


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["0012_left.png", "012_left.png"], ["12"]),  # either could be meant
        (["0012_left.png"], ["12", "012"]),  # two persons of the table, one of the folder
        (["P12_left.png"], ["12"]),
        (["1.20_left.png"], ["1.2"]),
    ],
)
def test_ids_that_could_be_several(names: list[str], cells: list[str]) -> None:
    assert all(not images for images, _ in found(names, *({"patient_id": cell} for cell in cells)))


def test_the_exact_id_is_taken_if_it_is_there() -> None:
    both = ["0012_left.png", "12_left.png"]
    assert found(both, {"patient_id": "12"}, {"patient_id": "0012"}) == [([both[1]], False), ([both[0]], False)]


@pytest.mark.parametrize("cell", ["1_left.png", "1_left", r"C:\films\1_left.png", "/elsewhere/1_LEFT.PNG"])
def test_names_of_files_whatever_their_folder(cell: str) -> None:
    assert found(["a/1_left.png", "a/2_left.png"], {"path": cell}) == [(["a/1_left.png"], True)]
    assert found(["a/1_left.png", "b/1_left.png"], {"path": cell}) == [([], False)]


def test_all_keys_must_fit() -> None:
    names = ["7_left.png", "7_right.png"]
    assert found(names, {"patient_id": "7.0", "laterality": "Right breast", "view": "RMLO"}) == [([names[1]], True)]
    assert found(names, {"patient_id": "7", "view": "medio-lateral oblique"}) == [(names, False)]
    assert found(names, {"patient_id": "7", "view": "CC"}) == [([], False)]


def test_a_row_about_one_file_may_have_ids_of_another_system() -> None:
    names = ["10_77_left.png", "11_78_left.png"]
    cells = {"path": names[0], "image_id": "77", "exam_id": "E1", "laterality": "L"}
    seen = [Seen(PurePosixPath(n), "used", patient=n[:2], exam=n[:2], laterality="L", view="CC") for n in names]
    images, _ = make_rows(seen, None)

    def find(cells: dict[str, str], place: PurePosixPath | None = None) -> tuple[list[int], bool]:
        return rows_of_images(table(cells), images, ROOT, {0: place} if place else {})[0]

    cells["path"] = str(ROOT / names[0])
    assert find(cells) == ([], False)
    assert find(cells, seen[0].place) == ([0], False)
    assert find(cells, PurePosixPath("not used.png")) == ([], False)
    for name, value in {"image_id": "11_78_left", "exam_id": "11", "patient_id": "11", "laterality": "R"}.items():
        assert find({**cells, name: value}, seen[0].place) == ([], False)


def look(tmp_path: Path, names: list[str], *lines: str, maps: tuple[str, ...] = ()) -> Told:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return rows_of_files(read_labels(path, maps), [PurePosixPath(name) for name in names], tmp_path / "images")


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
    assert found[0] == {2: PurePosixPath(name)}
    assert found[1] == {PurePosixPath(name): {"laterality": "L", "view": "MLO", "patient": "P1"}}


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
    assert look(tmp_path, names, "path,image_id,laterality,malignant", *(f"{row},0" for row in rows)) == ({}, {})


def test_the_exact_path_counts_among_files_of_one_name(tmp_path: Path) -> None:
    found = look(tmp_path, ["a/7.png", "b/7.png"], "path,side,malignant", "a/7.png,L,0", "b/7.png,R,0")
    assert [told["laterality"] for told in found[1].values()] == ["L", "R"]


def test_an_image_id_of_another_system_does_not_hide_the_file(tmp_path: Path) -> None:
    found = look(tmp_path, ["10_77.jpg"], "file,image_id,patient_id,malignant", "10_77.jpg,77,10.0,0")
    assert found[1] == {PurePosixPath("10_77.jpg"): {"patient": "10"}}


def test_a_patient_is_no_file(tmp_path: Path) -> None:
    assert look(tmp_path, ["P1.png"], "patient_id,side,malignant", "P1,L,0") == ({}, {})


def test_words_of_ones_own_for_sides(tmp_path: Path) -> None:
    found = look(tmp_path, ["7.png"], "file,Seite,malignant", "7.png,links,0", maps=("Seite:links=left",))
    assert found[1][PurePosixPath("7.png")] == {"laterality": "L"}


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
    assert found[1].get(PurePosixPath("7.png"), {}) == told


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
