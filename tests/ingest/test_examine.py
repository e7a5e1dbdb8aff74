"""One file: recognised by its content, used, left out or refused with a reason that quotes nothing of the patient."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import Dataset

from mammoseg.ingest.examine import (
    BAD_WINDOW,
    DARK_WINDOW,
    MASK,
    NO_FIELDS,
    NO_MATCH,
    NO_NAME,
    Seen,
    Settings,
    examine,
)
from mammoseg.ingest.patterns import compile_pattern
from mammoseg.ingest.quality import BLANK, WRONG_SIDE
from mammoseg.io.errors import ImageReadError

Write = Callable[..., Path]


def look(path: Path, pattern: str | None = None, pixels: bool = True) -> Seen:
    settings = Settings(path.parent, compile_pattern(pattern) if pattern else None, "all" if pixels else "none")
    return examine(settings, PurePosixPath(path.name))


def picture(path: Path, pixels: np.ndarray | None = None) -> Path:
    rows, columns = np.mgrid[:160, :128]
    plain = np.where(((rows - 80) / 60) ** 2 + (columns / 90) ** 2 <= 1, 100 + rows // 2, 0).astype(np.uint8)
    encoded = cv2.imencode(path.suffix, plain if pixels is None else pixels)[1]
    path.write_bytes(encoded.tobytes())
    return path


@pytest.mark.parametrize("name", ["IM0001", "1.2.3.4", "x.dcm", "wrong.png"])
def test_a_mammogram_whatever_its_name(write_mammogram: Write, tmp_path: Path, name: str) -> None:
    seen = look(write_mammogram(tmp_path / name, "R", "MLO"))
    assert (seen.status, seen.laterality, seen.view, seen.patient, seen.exam) == ("used", "R", "MLO", "P1", "1.2.3")
    assert seen.pixels is not None
    assert seen.findings == seen.pixels.findings == ()


def test_a_preamble_that_looks_like_a_tiff_file(write_mammogram: Write, tmp_path: Path) -> None:
    path = write_mammogram(tmp_path / "x")
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert look(path).status == "used"


def modifier(code: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "SCT", ""
    return [item]


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, "left out", "for processing"),
        ({"ImageType": ["DERIVED", "PRIMARY", "TOMO", "GENERATED_2D"]}, "left out", "synthetic 2D"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.13.1.3"}, "left out", "tomosynthesis"),
        ({"PartialView": "YES"}, "left out", "partial view"),
        ({"ViewModifierCodeSequence": modifier("399055006")}, "left out", "spot view"),
        ({"EstimatedRadiographicMagnificationFactor": 1.8}, "left out", "magnification view"),
        ({"BreastImplantPresent": "YES"}, "used", ""),
        ({"Modality": "SR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11"}, "no image", "DICOM without a picture"),
        ({"ViewPosition": None}, "unusable", "not stated: view"),
        ({"ImageLaterality": None, "PatientOrientation": None}, "unusable", "not stated: laterality"),
        ({"Rows": None}, "unusable", "the header states no size of the picture"),
        ({"pixels": np.full((160, 128), 9, np.uint16)}, "unusable", BLANK),
    ],
)
def test_kinds(write_mammogram: Write, tmp_path: Path, change: dict[str, Any], status: str, why: str) -> None:
    seen = look(write_mammogram(tmp_path / "x", **change))
    assert (seen.status, seen.why.startswith(why), seen.pixels is not None) == (status, True, status == "used")


def test_broken_files(write_mammogram: Write, tmp_path: Path) -> None:
    whole = write_mammogram(tmp_path / "x").read_bytes()
    reasons = {}
    for name, content in {
        "cut.dcm": whole[: len(whole) // 2],
        "head": whole[:200],
        "empty.dcm": b"",
        "page.dcm": b"<html>not found</html>",
        "page.png": b"<html>not found</html>",
        "L-CC.png": b"\x89PNG\r\n\x1a\n cut",
        "empty": b"",
        "notes.txt": b"Frau Geheim",
        "DICOMDIR": whole,
    }.items():
        (tmp_path / name).write_bytes(content)
        seen = look(tmp_path / name)
        reasons[name] = (seen.status, seen.why)
        assert str(tmp_path) not in seen.why + seen.detail
    assert reasons["cut.dcm"] == ("unusable", "the file is cut short: pixels are missing")
    assert reasons["head"][0] == "unusable"
    assert reasons["empty.dcm"] == ("unusable", "the file is empty")
    assert reasons["page.dcm"][0] == reasons["page.png"][0] == reasons["L-CC.png"][0] == "unusable"
    assert reasons["empty"] == reasons["notes.txt"] == ("no image", "another kind of file")
    assert reasons["DICOMDIR"] == ("no image", "DICOMDIR, the table of contents of a disc")


def test_a_missing_file_and_an_error_of_the_program(
    write_mammogram: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(tmp_path / "gone").why == "the file cannot be read (No such file or directory)"
    monkeypatch.setattr("mammoseg.ingest.examine.read_image", lambda _: 1 / 0)
    seen = look(write_mammogram(tmp_path / "x"))
    assert (seen.status, seen.why) == ("unusable", "an error of the program (ZeroDivisionError)")


def test_pixels_only_where_wanted(write_mammogram: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, raw = write_mammogram(tmp_path / "x"), write_mammogram(tmp_path / "y", PartialView="YES")
    monkeypatch.setattr("mammoseg.ingest.examine.read_image", lambda _: pytest.fail("decoded"))
    assert look(good, pixels=False).pixels is None
    assert look(raw).status == "left out"


def test_wrong_side_is_a_finding(write_mammogram: Write, tmp_path: Path) -> None:
    mirrored = {"ImageLaterality": "R", "PatientOrientation": None}
    seen = look(write_mammogram(tmp_path / "x", "L", **mirrored))
    assert (seen.status, seen.pixels and seen.pixels.findings) == ("used", (WRONG_SIDE,))


def test_pictures_by_their_usual_names(tmp_path: Path) -> None:
    seen = look(picture(tmp_path / "0012_L-CC.png"))
    assert (seen.status, seen.patient, seen.exam, seen.laterality, seen.view) == ("used", None, "0012", "L", "CC")
    assert look(picture(tmp_path / "icon.png")).why == NO_NAME
    inside = tmp_path / "site" / "0013"
    inside.mkdir(parents=True)
    picture(inside / "RMLO.png")
    assert examine(Settings(tmp_path), PurePosixPath("site/0013/RMLO.png")).exam == "site/0013"
    picture(tmp_path / "RMLO.png")
    assert look(tmp_path / "RMLO.png").exam == tmp_path.name


def test_pictures_by_a_pattern(tmp_path: Path) -> None:
    seen = look(picture(tmp_path / "cc-left-7-2.png"), "{view}-{laterality}-{patient}-{exam}.png")
    assert (seen.patient, seen.exam, seen.laterality, seen.view) == ("7", "2", "L", "CC")
    assert look(picture(tmp_path / "0012_L-CC.png"), "{view}-{laterality}-{patient}").why == NO_MATCH
    assert look(picture(tmp_path / "7_CC.png"), "{patient}_{view}").why == NO_FIELDS


@pytest.mark.parametrize("name", ["0012_L-CC_mask.png", "mask_L_CC.png", "0012_L-CC_benign.png", "x_roi.png"])
def test_masks_by_their_names(tmp_path: Path, name: str) -> None:
    seen = look(picture(tmp_path / name))
    assert (seen.status, seen.why) == ("left out", MASK)
    assert "by its name" in seen.detail


def test_a_pattern_says_that_a_name_is_no_mask(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    picture(tmp_path / "masks" / "0012_L_CC_benign.png")
    place = PurePosixPath("masks/0012_L_CC_benign.png")
    assert examine(Settings(tmp_path), place).why == MASK
    chosen = compile_pattern("{patient}_{laterality}_{view}_benign")
    assert examine(Settings(tmp_path, chosen), place).status == "used"


@pytest.mark.parametrize("values", [(0, 255), (0, 1), (7, 9)])
def test_masks_by_their_values(tmp_path: Path, values: tuple[int, int]) -> None:
    mask = np.full((160, 128), values[0], np.uint8)
    mask[20:60, 10:50] = values[1]
    path = picture(tmp_path / "0012_L_CC.png", mask)
    for pattern in (None, "{patient}_{laterality}_{view}"):
        seen = look(path, pattern)
        assert (seen.status, seen.why, seen.pixels) == ("left out", MASK, None)
    assert look(path, pixels=False).status == "used"
    mask[0, 1] = 100
    assert look(picture(tmp_path / "0012_L_CC.png", mask)).status == "used"


@pytest.mark.parametrize(
    ("window", "finding"),
    [
        ({"WindowCenter": 2000, "WindowWidth": 0}, BAD_WINDOW),
        ({"WindowCenter": 2000}, BAD_WINDOW),
        ({"WindowCenter": 2000, "WindowWidth": 9, "RescaleSlope": 0, "RescaleIntercept": 0}, BAD_WINDOW),
        ({"WindowCenter": 20000, "WindowWidth": 10}, DARK_WINDOW),
        ({"WindowCenter": -20000, "WindowWidth": 10}, DARK_WINDOW),
        ({"WindowCenter": -1000, "WindowWidth": 400, "PixelRepresentation": 1}, None),
        ({"WindowCenter": 2000, "WindowWidth": 1500}, None),
        ({}, None),
    ],
)
def test_windows_that_show_nothing(
    write_mammogram: Write, tmp_path: Path, window: dict[str, Any], finding: str | None
) -> None:
    path = write_mammogram(tmp_path / "x", **window)
    seen = look(path)
    assert (seen.status, seen.findings) == ("used", (finding,) if finding else ())
    assert look(path, pixels=False).findings == ()


def test_a_pattern_fills_in_what_a_header_does_not_tell(write_mammogram: Write, tmp_path: Path) -> None:
    pattern = "{patient}_{laterality}_{view}"
    bare = {"ViewPosition": None, "ImageLaterality": None, "PatientOrientation": None, "PatientID": ""}
    seen = look(write_mammogram(tmp_path / "7_L_MLO.dcm", **bare), pattern)
    assert (seen.status, seen.patient, seen.laterality, seen.view) == ("used", "7", "L", "MLO")
    assert set(seen.findings) == {"the laterality is taken from the name", "the view is taken from the name"}
    seen = look(write_mammogram(tmp_path / "7_R_CC.dcm"), pattern)
    assert (seen.patient, seen.laterality) == ("P1", "L")
    assert seen.findings == ("the file name tells another laterality than the header: the header is used",)


def test_repr_shows_nobody(write_mammogram: Write, tmp_path: Path) -> None:
    shown = repr(look(write_mammogram(tmp_path / "Geheim", PatientID="Geheim", StudyInstanceUID="1.2.77777")))
    assert not any(word in shown for word in ("Geheim", "77777", "2024"))


def test_reasons_are_the_same_for_files_of_different_size(tmp_path: Path) -> None:
    """So that 200 of them are one line of the report; the detail has the numbers."""
    seen = []
    for name, kept in (("a_L-CC.png", 300), ("b_L-CC.png", 400)):
        path = picture(tmp_path / name)
        path.write_bytes(path.read_bytes()[:kept])
        seen.append(look(path))
    assert [(each.status, each.why) for each in seen] == [("unusable", "the image is damaged or cut short")] * 2
    assert [each.detail for each in seen] == [
        f"the image is damaged or cut short ({kept} bytes)" for kept in (300, 400)
    ]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("the pixels are float32", "the pixels are float32"),
        (
            "the JPEG 2000 stream is cut into absurdly many pieces",
            "the JPEG 2000 stream is cut into absurdly many pieces",
        ),
        ("more than 150 million pixels", "more than 150 million pixels"),
        ("17 bytes for 20 x 30 with 1 samples", "N bytes for N with N samples"),
        ("damaged (500 bytes)", "damaged"),
    ],
)
def test_numbers_of_a_file_are_no_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, why: str
) -> None:
    path = picture(tmp_path / "a_L-CC.png")

    def refuse(path: Path) -> None:
        raise ImageReadError(f"{path}: {message}. Expected another. Do something.")

    monkeypatch.setattr("mammoseg.ingest.examine.read_image", refuse)
    assert (look(path).why, look(path).detail) == (why, message)


def test_what_is_known_to_be_a_mammogram(write_mammogram: Write, tmp_path: Path) -> None:
    torn = b"\x89PNG\r\n\x1a\n cut"
    for name in ("a_L-CC.png", "scan1.png", "b_R-MLO.webp", "icon.gif"):
        (tmp_path / name).write_bytes(torn if name.endswith("png") else b"another kind")
    write_mammogram(tmp_path / "silent", ViewPosition=None)
    known = {name: look(tmp_path / name) for name in ("a_L-CC.png", "scan1.png", "b_R-MLO.webp", "icon.gif", "silent")}
    assert {name: (seen.status, seen.mammogram) for name, seen in known.items()} == {
        "a_L-CC.png": ("unusable", True),
        "scan1.png": ("unusable", False),
        "b_R-MLO.webp": ("unusable", True),
        "icon.gif": ("no image", False),
        "silent": ("unusable", True),
    }


def test_names_fill_in_what_a_header_does_not_tell(write_mammogram: Write, tmp_path: Path) -> None:
    seen = look(write_mammogram(tmp_path / "12_R-ML.dcm", "R", ViewPosition=None))
    assert (seen.status, seen.laterality, seen.view, seen.exam) == ("used", "R", "ML", "1.2.3")
    assert seen.findings == ("the view is taken from the name",)
    seen = look(write_mammogram(tmp_path / "12_L-CC.dcm", "R", "MLO"))
    assert (seen.laterality, seen.view, len(seen.findings)) == ("R", "MLO", 2)


@pytest.mark.parametrize("suffix", [".bmp", ".jp2"])
def test_further_kinds_of_pictures(tmp_path: Path, suffix: str) -> None:
    assert look(picture(tmp_path / f"a_L-CC{suffix}")).status == "used"


def test_thumbnails_only_where_wanted(tmp_path: Path) -> None:
    path = picture(tmp_path / "a_L-CC.png")
    assert look(path).thumbnail is None
    seen = examine(Settings(tmp_path, thumbnails=True), PurePosixPath(path.name))
    assert seen.thumbnail is not None
    assert seen.thumbnail.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("name", "told", "exam"),
    [
        ("7.png", {}, "folder"),
        ("a/7.png", {}, "a"),
        ("a/7.png", {"patient": "P1"}, "P1"),
        ("a/7.png", {"patient": "P1", "exam": "E1"}, "E1"),
        ("a/0012_L_CC.png", {"patient": "P1", "exam": "E1"}, "0012"),
    ],
)
def test_a_table_tells_what_the_name_of_a_picture_does_not(
    tmp_path: Path, name: str, told: dict[str, str], exam: str
) -> None:
    (tmp_path / "folder" / "a").mkdir(parents=True)
    picture(tmp_path / "folder" / name)
    place = PurePosixPath(name)
    seen = examine(Settings(tmp_path / "folder", told={place: {"laterality": "L", "view": "CC", **told}}), place)
    assert (seen.status, seen.laterality, seen.view, seen.patient) == ("used", "L", "CC", told.get("patient"))
    assert seen.exam == exam


def test_a_table_tells_special_views(write_mammogram: Write, tmp_path: Path) -> None:
    picture(tmp_path / "0012_L_CC.png")
    write_mammogram(tmp_path / "x")
    for name in ("0012_L_CC.png", "x"):
        place = PurePosixPath(name)
        seen = examine(Settings(tmp_path, told={place: {"flag": "spot"}}), place)
        assert (seen.status, seen.why, seen.detail) == ("left out", "spot view", "by the table of labels")
