"""Rows and images meet although programs have changed ids, but only where nothing else can be meant."""

from pathlib import Path, PurePosixPath

import pytest

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import make_rows
from mammoseg.ingest.label_match import Matcher, side_of

ROOT = Path("/data")


def found(names: list[str], *cells: dict[str, str]) -> list[tuple[list[str], bool]]:
    """For each row the paths of its images; names are PATIENT_left.png."""
    seen = []
    for name in names:
        patient = PurePosixPath(name).name.partition("_")[0]
        side = "R" if "right" in name else "L"
        seen.append(Seen(PurePosixPath(name), "used", patient=patient, exam=patient, laterality=side, view="MLO"))
    rows, _ = make_rows(seen, None)
    matcher = Matcher(cells, rows, ROOT, Path("/tables"))
    answers = [matcher.find(row) for row in cells]
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


def test_sides() -> None:
    assert [side_of(text) for text in ("l", "LEFT", "right  breast", "B", "")] == ["L", "L", "R", None, None]


def test_a_row_about_one_file_may_have_ids_of_another_system() -> None:
    names = ["10_77_left.png", "11_78_left.png"]
    cells = {"path": names[0], "image_id": "77", "exam_id": "E1", "laterality": "L"}
    seen = [Seen(PurePosixPath(n), "used", patient=n[:2], exam=n[:2], laterality="L", view="CC") for n in names]
    images, _ = make_rows(seen, None)
    matcher = Matcher([cells], images, ROOT, ROOT)
    assert matcher.find(cells) == ([], False)
    assert matcher.find(cells, seen[0].place) == ([0], False)
    assert matcher.find(cells, PurePosixPath("not used.png")) == ([], False)
    for name, value in {"image_id": "11_78_left", "exam_id": "11", "patient_id": "11", "laterality": "R"}.items():
        assert matcher.find({**cells, name: value}, seen[0].place)[0] == ([0] if name == "patient_id" else [])
