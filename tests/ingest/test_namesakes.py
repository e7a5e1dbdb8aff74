"""Names that recur in several folders: neither one patient in two splits, nor the labels of two in one."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import NO_PATIENT_IN_NAME, make_rows
from mammoseg.ingest.namesakes import PLACES, TIMES, TOLD, tell_apart
from mammoseg.ingest.patterns import compile_pattern, usual_name

PATTERN = "{patient}_{laterality}_{view}"


def pictures(*names: str) -> list[Seen]:
    found = []
    for name in names:
        place = PurePosixPath(f"{name}.png")
        told = usual_name(place.stem)
        assert told is not None
        told["exam"] = told["exam"] or None
        found.append(Seen(place, "used", **told))
    return found


def patients_and_exams(*names: str) -> list[tuple[str, str]]:
    return [(row.patient_id, row.exam_id) for row in make_rows(pictures(*names), None)[0]]


def findings(*names: str) -> set[str]:
    return {text for row in make_rows(pictures(*names), None)[0] for text in row.findings if "pixel" not in text}


def test_places_are_different_patients() -> None:
    names = ("site1/0012_L_CC", "site1/0012_R_CC", "site2/0012_L_CC", "site2/0013_L_CC")
    first, second = ("site1/0012", "site1/0012"), ("site2/0012", "site2/0012")
    assert patients_and_exams(*names) == [first, first, second, ("0013", "0013")]
    assert findings(*names[:3]) == {PLACES}
    assert "--pattern" in PLACES


@pytest.mark.parametrize(
    ("one", "other"),
    [("2020", "2021"), ("2020-01-31", "2020-07-31"), ("visit 1", "visit 2"), ("prior", "current"), ("T0", "t1")],
)
def test_times_are_exams_of_one_patient(one: str, other: str) -> None:
    names = (f"{one}/0012_L_CC", f"{other}/0012_L_CC", f"{other}/0012_L_MLO")
    later = ("0012", f"{other}/0012")
    assert patients_and_exams(*names) == [("0012", f"{one}/0012"), later, later]
    assert findings(*names) == {TIMES}


def test_times_within_places() -> None:
    names = ("a/2020/7_L_CC", "a/2021/7_L_CC", "b/2020/7_L_CC")
    assert patients_and_exams(*names) == [("a/7", "a/2020/7"), ("a/7", "a/2021/7"), ("b/7", "b/2020/7")]
    assert findings(*names) == {PLACES, TIMES}


@pytest.mark.parametrize(
    "names",
    [
        ("L/0012_L_CC", "R/0012_R_CC"),
        ("cc/0012_L_CC", "mlo/0012_L_MLO", "mlo/0012_R_MLO"),
        ("site1/0012_L_CC", "site1/0012_L_CC_2"),
        ("0012_L_CC", "0013_L_CC"),
    ],
)
def test_folders_in_which_nothing_recurs(names: tuple[str, ...]) -> None:
    assert {patient for patient, _ in patients_and_exams(*names)} <= {"0012", "0013"}
    assert findings(*names) == {NO_PATIENT_IN_NAME}


def test_only_the_folders_that_tell_them_apart() -> None:
    names = ("s1/cc/7_L_CC", "s1/mlo/7_L_MLO", "s2/cc/7_L_CC")
    assert [patient for patient, _ in patients_and_exams(*names)] == ["s1/7", "s1/7", "s2/7"]


def test_a_pattern_with_folders_decides() -> None:
    found = pictures("site1/0012_L_CC", "site2/0012_L_CC")
    assert tell_apart(found, compile_pattern("{exam}/{patient}_{laterality}_{view}")) == found
    assert tell_apart(found, compile_pattern(PATTERN)) != found


def test_copies_are_one_image_still() -> None:
    found = pictures("site1/0012_L_CC")
    dicom = [Seen(PurePosixPath("a/x"), "left out", "spot view", patient="0012")]
    assert tell_apart([*found, *dicom], None) == [*found, *dicom]


def test_a_patient_of_the_table_is_one_in_all_folders() -> None:
    found = [
        replace(seen, patient="P1", told=frozenset({"patient"})) for seen in pictures("a/0012_L_CC", "b/0012_L_CC")
    ]
    rows, _ = make_rows(found, None)
    assert {row.patient_id for row in rows} == {"P1"}
    assert len({row.exam_id for row in rows}) == 2
    assert all(TOLD in row.findings for row in rows)


def test_an_exam_of_the_table_stays() -> None:
    told = frozenset({"patient", "exam"})
    found = [replace(seen, patient="P1", exam="E1", told=told) for seen in pictures("a/0012_L_CC", "b/0012_L_CC")]
    assert tell_apart(found, None) == found
