"""Ids: names of pictures that people know again, hashes of everything of DICOM files, unique and safe in any case."""

from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from mammoseg.data.examine import Seen
from mammoseg.data.ids import exam_ids, image_ids
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
    assert ids("a/L_CC.png", "a/L_CC.tif", "a/L CC.png") == ["a_L_CC_2", "a_L_CC_3", "a_L_CC"]
    assert ids("a b.png", "a_b.png", "a_b_2.png") == ["a_b", "a_b_3", "a_b_2"]


@pytest.mark.parametrize(
    ("name", "image_id"),
    [
        ("Müller_L_CC.png", "Muller_L_CC"),
        ("-_.L_CC.png", "L_CC"),
        ("../.L CC.png", "L_CC"),
        ("x" * 150 + "_L_CC.png", "x" * 95 + "_L_CC"),
        ("左.png", "e1_L-CC"),
    ],
)
def test_ids_are_safe_names_of_files(name: str, image_id: str) -> None:
    assert ids(name) == [image_id]
    assert is_safe_id(image_id)


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
