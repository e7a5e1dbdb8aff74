"""Ids: names of pictures that people know again, hashes of everything of DICOM files, unique and safe in any case."""

import itertools
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.ids import exam_ids, file_ids, image_ids
from mammoseg.io.runs import is_safe_id


def picture(name: str) -> Seen:
    return Seen(PurePosixPath(name), "used", exam="7", laterality="L", view="CC")


def dicom(name: str, uid: str) -> Seen:
    header: Any = SimpleNamespace(sop_uid=uid)
    return Seen(PurePosixPath(name), "used", header=header, laterality="L", view="CC")


def ids(*names: str, hashed: bool = False) -> list[str]:
    return image_ids([picture(name) for name in names], ["e1"] * len(names), hashed)


def test_pictures_are_called_as_their_files() -> None:
    assert ids("films/P002 left mlo.png", "x/0012_L-CC.tif") == ["P002_left_mlo", "0012_L-CC"]


def test_a_name_of_several_files_has_its_folders() -> None:
    assert ids("a/L_CC.png", "b c/l_cc.png", "b/R_CC.png") == ["a_L_CC", "b_c_l_cc", "R_CC"]


def test_a_picture_called_like_a_dicom_file_beside_it() -> None:
    found = [picture("maps/e1_L-CC.png"), dicom("x", "9.1"), dicom("y", "9.2")]
    assert len(set(image_ids(found, ["7", "e1", "e1"], hashed=False))) == 3


def test_hashed_ids_tell_no_name() -> None:
    assert ids("P002 left mlo.png", "P003 left mlo.png", hashed=True) == ["e1_L-CC", "e1_L-CC_2"]


def test_dicom_files_are_called_by_their_exam() -> None:
    found = [dicom("Mustermann", "9.2"), dicom("Anna", "9.1"), picture("Mustermann.png")]
    assert image_ids(found, ["e1", "e1", "7"], hashed=False) == ["e1_L-CC_2", "e1_L-CC", "Mustermann"]


def test_exams_by_what_names_tell() -> None:
    exams = [("7", "7"), ("7", "2020"), ("site1/7", "site1/7"), ("a", "b/c"), ("a/b", "c"), ("1.2", "1.2")]
    used = [*[picture("x")] * 5, dicom("x", "9")]
    called = exam_ids(used, exams, None)
    assert called[:3] == ["7", "7/2020", "site1/7"]
    assert all(len(name) == 13 for name in called[3:])  # of two exams with one name, and of DICOM
    assert len(set(called)) == 6
    assert all(name.startswith("e") and len(name) == 13 for name in exam_ids(used, exams, b"s" * 16))


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["0012_L-CC.png"], ["0012_L-CC"]),
        (["s1/IM1.dcm", "s2/IM1.dcm", "s2/IM2.dcm"], ["s1_IM1", "s2_IM1", "IM2"]),
        (["p/a/x", "q/a/x", "q/b/x"], ["p_a_x", "q_a_x", "b_x"]),
        (["1.2.840.1", "1.2.840.2"], ["1.2.840.1", "1.2.840.2"]),
        (["a_L-CC.png", "A_L-CC.png", "a_L-CC.dcm"], ["a_L-CC_3", "A_L-CC", "a_L-CC_2"]),
        (["P002 left mlo.png"], ["P002_left_mlo"]),
        (["a b.png", "a_b.png"], ["a_b", "a_b_2"]),
        (["s1_x.png", "s1/x.png", "s2/x.png"], ["s1_x", "s1_x_2", "s2_x"]),
        (["日本.png", "._.png"], ["image_2", "image"]),
        (["x.png", "a/x.png"], ["x", "a_x"]),
    ],
)
def test_readable(names: list[str], ids: list[str]) -> None:
    places = [PurePosixPath(name) for name in names]
    for order in itertools.permutations(places):
        found = file_ids(order)
        assert sorted(found.values()) == sorted(ids)
        assert all(is_safe_id(name) for name in found.values())
        assert found == file_ids(places)
    assert len({name.lower() for name in ids}) == len(ids)


def test_long_names_stay_different() -> None:
    places = [PurePosixPath(f"{'a' * 250}{number}.png") for number in range(3)]
    ids = file_ids(places)
    assert len(set(ids.values())) == 3
    assert all(is_safe_id(name) for name in ids.values())
