"""Files and folders that a user names: looked at as scan does, one bad file costs itself, the order does not matter."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mammoseg.ingest import examine
from mammoseg.ingest.given import Given, gather, look_at
from mammoseg.ingest.quality import WRONG_SIDE
from mammoseg.io.errors import ImageReadError
from mammoseg.io.read import read_image
from mammoseg.io.runs import is_safe_id
from mammoseg.records.image import Mammogram

Write = Callable[..., Path]
NOWHERE = Path("/nowhere")


def picture(path: Path, tone: int = 100) -> Path:
    rows, columns = np.mgrid[:160, :128]
    breast = ((rows - 80) / 60) ** 2 + (columns / 90) ** 2 <= 1
    pixels = np.where(breast, tone + rows // 2, 0).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels[:, ::-1] if "R" in path.stem else pixels)[1].tobytes())
    return path


def look(*paths: Path, pixel_mm: float | None = None) -> Given:
    return look_at(gather(paths, NOWHERE), pixel_mm, workers=0)


@pytest.mark.parametrize(
    ("name", "exam", "image_id", "side", "view"),
    [
        ("0012_L-CC.png", "0012", "0012_L-CC", "L", "CC"),
        ("0012_R_MLO.png", "0012", "0012_R_MLO", "R", "MLO"),
        ("0012-LCC.tif", "0012", "0012-LCC", "L", "CC"),
        ("a.b r mlo.pgm", "a.b", "a.b_r_mlo", "R", "MLO"),
        ("case_L_R_MLO_2.png", "case_L", "case_L_R_MLO_2", "R", "MLO"),
        ("L-CC.png", "folder", "L-CC", "L", "CC"),
        ("Frau Müller 1_L-CC.png", "Frau Müller 1", "Frau_M_ller_1_L-CC", "L", "CC"),
        ("日本_R-ML.png", "日本", "R-ML", "R", "ML"),
    ],
)
def test_a_name_says_everything(tmp_path: Path, name: str, exam: str, image_id: str, side: str, view: str) -> None:
    path = picture(tmp_path / "folder" / name)
    [row] = look(path, pixel_mm=0.07).rows
    assert (row.patient_id, row.exam_id, row.image_id, row.laterality, row.view) == (exam, exam, image_id, side, view)
    assert row.path == path
    assert row.pixel_mm == 0.07
    assert row.labels == {}
    assert is_safe_id(row.image_id)


def test_relative_names_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    picture(Path("L-CC.png"))
    [row] = look(Path("L-CC.png")).rows
    assert row.path == tmp_path / "L-CC.png"
    assert row.exam_id == tmp_path.name


def test_the_same_names_in_two_series_and_in_any_order(write_mammogram: Write, tmp_path: Path) -> None:
    files = [
        write_mammogram(tmp_path / "s1" / "IM1", "L", "CC"),
        write_mammogram(tmp_path / "s1" / "IM2", "L", "MLO"),
        write_mammogram(tmp_path / "s2" / "IM1", "R", "CC"),
    ]
    expected = look(*files).rows
    assert [row.image_id for row in expected] == ["s1_IM1", "IM2", "s2_IM1"]
    assert len({row.exam_id for row in expected}) == 1
    for order in itertools.permutations([*files, files[0]]):
        assert look(*order).rows == expected
    assert look(tmp_path).rows == look(tmp_path / "s2", tmp_path / "s1").rows == expected
    assert look(tmp_path, files[0]).rows == expected


def test_what_scan_leaves_out_is_left_out(write_mammogram: Write, tmp_path: Path) -> None:
    write_mammogram(tmp_path / "raw", PresentationIntentType="FOR PROCESSING")
    write_mammogram(tmp_path / "part", PartialView="YES")
    write_mammogram(tmp_path / "one", tone=7)
    write_mammogram(tmp_path / "two", tone=7)
    picture(tmp_path / "masks" / "x_L-CC.png")
    picture(tmp_path / "y_L-MLO_spot.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").write_text("")
    given = look(tmp_path)
    assert [row.image_id for row in given.rows] == ["one"]
    assert {seen.place.as_posix(): seen.why for seen in given.left_out} == {
        "raw": "for processing",
        "part": "partial view",
        "two": "a copy of another file",
        "masks/x_L-CC.png": "looks like a mask",
        "y_L-MLO_spot.png": "spot view",
        "notes.txt": "another kind of file",
        ".hidden": "a hidden file or folder",
    }
    assert given.unusable == []


def test_of_dicom_images_only_possible_copies_are_decoded(
    write_mammogram: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For who decodes them anyway: the same images as if all were decoded, but each decoded once."""
    write_mammogram(tmp_path / "one", tone=7)
    write_mammogram(tmp_path / "two", tone=7)
    write_mammogram(tmp_path / "other", tone=8)
    write_mammogram(tmp_path / "right", "R")
    write_mammogram(tmp_path / "later", StudyInstanceUID="1.2.4", tone=7)
    picture(tmp_path / "x_L-CC.png")
    everything = look(tmp_path)
    decoded: list[str] = []
    monkeypatch.setattr(examine, "read_image", lambda path: (decoded.append(path.name), read_image(path))[1])
    given = look_at(gather([tmp_path], NOWHERE), None, workers=0, decode="pictures")
    assert (given.rows, given.unusable) == (everything.rows, [])
    assert [seen.place.name for seen in given.left_out] == [seen.place.name for seen in everything.left_out] == ["two"]
    assert sorted(decoded) == ["one", "other", "two", "x_L-CC.png"]
    assert given.unseen == {"right", "later"}
    assert everything.unseen == frozenset()


def test_pixels_that_are_seen_later_tell_the_same(write_mammogram: Write, tmp_path: Path) -> None:
    good = read_image(write_mammogram(tmp_path / "good")).pixels
    turned = write_mammogram(tmp_path / "turned", "R", pixels=good)
    mask = write_mammogram(tmp_path / "mask", "L", "MLO", pixels=np.where(good > 0, 900, 0).astype(np.uint16))
    named = [tmp_path / "good", turned, mask]
    given = look_at(gather(named, NOWHERE), None, workers=0, decode="pictures")
    told = {}
    for row in given.rows:
        pixels, reading, _ = read_image(row.path)
        image = Mammogram(pixels, row.laterality, row.view, row.image_id, 0.1, row.horizontal_flip, reading=reading)
        try:
            told[row.image_id] = given.remarks(row, image)
        except ImageReadError as error:
            told[row.image_id] = str(error)
    assert told["good"] == ()
    assert told["turned"] == (WRONG_SIDE,)
    assert f"{mask}: looks like a mask, its pixels have two values. Expected a mammogram" in told["mask"]


def test_what_cannot_be_used_costs_itself(write_mammogram: Write, tmp_path: Path) -> None:
    good = picture(tmp_path / "a_L-CC.png")
    (tmp_path / "torn_R-CC.png").write_bytes(good.read_bytes()[:200])
    (tmp_path / "empty.dcm").touch()
    picture(tmp_path / "scan1.png")
    write_mammogram(tmp_path / "silent", ViewPosition=None)
    os.mkfifo(tmp_path / "pipe.png")
    given = look(tmp_path, tmp_path / "pipe.png")
    assert [row.path for row in given.rows] == [good]
    messages = {each.path.name: str(each.error) for each in given.unusable}
    assert {name: message.split(": ")[1].split(" (")[0].split(". ")[0] for name, message in messages.items()} == {
        "torn_R-CC.png": "the image is damaged or cut short",
        "empty.dcm": "the file is empty",
        "scan1.png": "the name tells no side and view",
        "silent": "not stated",
        "pipe.png": "the file cannot be read",
    }
    assert all(message.startswith(f"{tmp_path / name}: ") for name, message in messages.items())
    assert sorted(each.image_id for each in given.unusable) == ["empty", "pipe", "scan1", "silent", "torn_R-CC"]


def test_a_file_that_is_named_should_be_an_image(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no image")
    [unusable] = look(notes).unusable
    assert "notes.txt: this is no image but another kind of file" in str(unusable.error)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    good = picture(tmp_path / "a_L-CC.png")
    broken = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff_L-CC.png"))
    broken.write_bytes(good.read_bytes())
    for given in (look(tmp_path), look(good, broken)):
        assert [row.path for row in given.rows] == [good]
        [unusable] = given.unusable
        assert r"b\xff_L-CC.png: the name holds control characters or is no valid text" in str(unusable.error)
        assert is_safe_id(unusable.image_id)


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    """The folder stands for patient and exam, which are written to tables."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xff"))
    [row] = look(picture(folder / "L-CC.png")).rows
    assert row.exam_id == row.patient_id == r"f\xff"


def test_results_are_not_looked_at(tmp_path: Path) -> None:
    good = picture(tmp_path / "a_L-CC.png")
    picture(tmp_path / "out" / "overlays" / "a_L-CC.png")
    assert [row.path for row in look_at(gather([tmp_path], tmp_path / "out"), None, 0).rows] == [good]


def test_a_dicom_header_says_everything(write_mammogram: Write, tmp_path: Path) -> None:
    files = [write_mammogram(tmp_path / "IM1.dcm", "R", "MLO"), write_mammogram(tmp_path / "IM2", "L", "CC")]
    right, left = look(*files).rows
    assert (right.laterality, right.view, left.laterality, left.view) == ("R", "MLO", "L", "CC")
    assert (right.patient_id, right.image_id, right.pixel_mm) == ("P1", "IM1", 0.1)
    assert right.exam_id == left.exam_id
    assert is_safe_id(right.exam_id)
    assert look(*files, pixel_mm=0.2).rows[0].pixel_mm == 0.1


def test_the_name_helps_out_where_a_header_is_silent(
    write_mammogram: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [row] = look(write_mammogram(tmp_path / "12_R-ML.dcm", "R", "CC", ViewPosition=None)).rows
    assert (row.laterality, row.view) == ("R", "ML")
    assert "1 image: the view is taken from the name" in caplog.text


def test_a_header_counts_more_than_a_name(
    write_mammogram: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [row] = look(write_mammogram(tmp_path / "12_L-CC.dcm", "R", "MLO")).rows
    assert (row.laterality, row.view) == ("R", "MLO")
    assert "1 image: the file name tells another view than the header: the header is used" in caplog.text


def test_nothing_of_a_patient_is_in_messages(
    write_mammogram: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_mammogram(tmp_path / "12_L-CC.dcm", "R", "MLO", PatientID="Geheim")
    write_mammogram(tmp_path / "13.dcm", PatientID="Geheim", ViewPosition=None)
    given = look(tmp_path)
    assert "Geheim" not in caplog.text + "".join(str(each.error) for each in given.unusable)
