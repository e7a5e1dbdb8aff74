"""Ids: names of pictures that people know again, hashes of everything of DICOM files, unique and safe in any case."""

from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.ids import exam_ids, image_ids


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
