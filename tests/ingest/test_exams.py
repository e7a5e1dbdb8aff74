"""Rows of a manifest: what is one exam in the exports there are, what is a copy, which ids, which findings."""

from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pytest

from mammoseg.data.manifest import ManifestError
from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import COPY, NO_PATIENT_IN_NAME, SAME_EXAM, Row, make_rows, rows_to_manifest
from mammoseg.ingest.quality import PixelFacts
from mammoseg.io.dicom.header import DicomHeader

HEADER: dict[str, Any] = {
    "kind": "mammogram",
    "usable": True,
    "why_not": None,
    "laterality": "L",
    "view": "CC",
    "flags": (),
    "pixel_mm": 0.1,
    "pixel_spacing_mm": None,
    "horizontal_flip": None,
    "rows": 80,
    "columns": 64,
    "bits_stored": 12,
    "bits_allocated": 16,
    "signed": False,
    "photometric": "MONOCHROME2",
    "transfer_syntax": "Explicit VR Little Endian",
    "manufacturer": "Maker",
    "model": None,
    "study_date": "2024-01-31",
    "patient_id": "P1",
    "study_uid": "1.1",
    "series_uid": None,
    "sop_uid": None,
    "burned_in": None,
    "findings": (),
}


def image(name: str, what: str = "L-CC", pixels: str | None = None, **change: Any) -> Seen:
    """A file that can be used; its pixels are unlike all others if not given."""
    side, _, view = what.partition("-")
    header = DicomHeader(**HEADER | change)
    about = {"patient": header.patient_id, "exam": header.study_uid, "laterality": side, "view": view}
    facts = PixelFacts(pixels or name, False, ())
    return Seen(PurePosixPath(name), "used", header=header, pixels=facts, findings=header.findings, **about)


def picture(name: str, exam: str, what: str = "L-CC") -> Seen:
    side, _, view = what.partition("-")
    return Seen(PurePosixPath(name), "used", exam=exam, laterality=side, view=view)


def exams(*found: Seen) -> list[str]:
    """The exam of every image, as a letter in the order of appearance."""
    ids = [row.exam_id for row in make_rows(found, None)[0]]
    return ["abcdef"[list(dict.fromkeys(ids)).index(name)] for name in ids]


def rows(*found: Seen, salt: bytes | None = None) -> list[Row]:
    return make_rows(found, salt)[0]


def test_a_study_is_an_exam() -> None:
    assert exams(image("1"), image("2", "R-CC"), image("3", study_uid="1.2"), image("4", "R-MLO")) == list("aaba")


def test_a_study_for_every_image_of_a_day() -> None:
    four = [image(str(n), what, study_uid=f"1.{n}") for n, what in enumerate(("L-CC", "R-CC", "L-MLO", "R-MLO"))]
    assert exams(*four) == list("aaaa")
    assert exams(*four, image("5", study_uid="2.1", study_date="2025-01-31")) == list("aaaab")
    assert exams(*four, image("5", study_uid="2.1", patient_id="P2")) == list("aaaab")


def test_studies_of_a_day_stay_apart_if_one_has_several_images() -> None:
    assert exams(image("1"), image("2", "R-CC"), image("3", "R-ML", study_uid="1.2")) == list("aab")


def test_without_date_or_study() -> None:
    unknown = {"study_date": None}
    assert exams(image("1", **unknown), image("2", "R-CC", study_uid="1.2", **unknown)) == list("ab")
    none = {"study_uid": None}
    later = image("3", study_date="2025-01-31", **none)
    assert exams(image("1", **none), image("2", "R-CC", **none), later) == list("aab")
    [row] = rows(image("a/1", patient_id=None, **none))
    assert row.patient_id.startswith("u")
    assert "the patient id is missing: the study, or else the folder, is taken for a patient" in row.findings


def test_pictures_without_a_patient_in_the_name() -> None:
    found = rows(picture("1", "0012/2020"), picture("2", "0012/2020", "R-CC"), picture("3", "0012/2021"))
    assert [row.patient_id for row in found] == ["0012/2020", "0012/2020", "0012/2021"]
    assert [row.exam_id == found[0].exam_id for row in found] == [True, True, False]
    assert all(NO_PATIENT_IN_NAME in row.findings for row in found)
    assert "--pattern" in NO_PATIENT_IN_NAME


def test_one_study_of_two_patients_is_two_exams() -> None:
    found = [image("1"), image("2", "R-CC", patient_id="P2")]
    assert exams(*found) == list("ab")
    assert all("the same study is of different patients" in row.findings for row in rows(*found))


def test_copies_are_left_out_and_counted() -> None:
    found = [image("1", pixels="x"), image("2", pixels="x"), image("3", "L-MLO"), image("4", "L-CC")]
    kept, everything = make_rows(found, None)
    assert [str(row.seen.place) for row in kept] == ["1", "3", "4"]
    assert [(str(s.place), s.why) for s in everything if s.status == "left out"] == [("2", COPY)]
    assert [row.image_id.partition("_")[2] for row in kept] == ["L-CC", "L-MLO", "L-CC_2"]


def test_copies_without_pixels_by_their_uid() -> None:
    found = [image("1", sop_uid="9.1"), image("2", sop_uid="9.1"), image("3", sop_uid="9.2"), image("4"), image("5")]
    bare = [
        Seen(s.place, s.status, header=s.header, patient="P1", exam="1.1", laterality="L", view="CC") for s in found
    ]
    assert [str(row.seen.place) for row in rows(*bare)] == ["1", "3", "4", "5"]


def test_the_same_pixels_elsewhere_are_a_contradiction() -> None:
    other = rows(image("1", pixels="x"), image("2", pixels="x", patient_id="P2", study_uid="1.2"))
    assert all("the same pixels as an image of another patient" in row.findings for row in other)
    side = rows(image("1", pixels="x"), image("2", "R-CC", pixels="x"))
    assert all("the same pixels as an image of another exam, side or view" in row.findings for row in side)
    assert not any(row.findings for row in rows(image("1"), image("2", "R-CC")))


def test_one_uid_for_different_images() -> None:
    found = rows(image("1", sop_uid="9.1"), image("2", sop_uid="9.1"), image("3", sop_uid="9.2"))
    assert [len(row.findings) for row in found] == [1, 1, 0]


def test_one_patient_id_for_everybody() -> None:
    found = rows(*(image(str(n), study_uid=f"1.{n}", study_date=f"2024-01-{n + 1:02}") for n in range(31)))
    assert all(any("more than 30 exams" in text for text in row.findings) for row in found)


def test_ids_are_stable_and_safe() -> None:
    found = [image("b", sop_uid="9.2"), image("a", sop_uid="9.1"), image("c", "R-XCCL", sop_uid="9.3")]
    first = {str(row.seen.place): row.image_id for row in rows(*found)}
    assert first == {str(row.seen.place): row.image_id for row in rows(*reversed(found))}
    assert first["b"] == first["a"] + "_2"
    moved = rows(image("elsewhere/a", sop_uid="9.1"))[0].image_id
    assert moved == first["a"]


def test_a_salt_hashes_patients_and_exams() -> None:
    [plain], [salted], [other] = (rows(image("1"), salt=salt) for salt in (None, b"s" * 16, b"t" * 16))
    assert plain.patient_id == "P1"
    assert len({plain.patient_id, salted.patient_id, other.patient_id}) == 3
    assert len({plain.exam_id, salted.exam_id, other.exam_id}) == 3
    assert salted == rows(image("1"), salt=b"s" * 16)[0]


def test_manifest(tmp_path: Path) -> None:
    found = [
        image("a/1", flags=("implant", "rolled"), horizontal_flip=True, findings=("odd",), model="M\n1" + "x" * 99),
        image("a/2", "R-CC", pixel_mm=9.0, bits_stored=None),
        picture("c/0012_L-CC.png", "0012"),
    ]
    made = rows(*found)
    assert made[0].findings == ("odd",)
    assert made[1].findings == ("the pixel size is missing",)
    assert made[2].findings == (NO_PATIENT_IN_NAME, "the pixel size is missing")
    out = tmp_path / "m.csv"
    rows_to_manifest(made, tmp_path / "data", out, [{"malignant": 1}, {}, {"malignant": 0, "benign": 1}]).to_csv(out)
    table = pd.read_csv(out, dtype=str)
    assert table["path"].tolist() == ["data/a/1", "data/a/2", "data/c/0012_L-CC.png"]
    assert table["patient_id"].tolist() == ["P1", "P1", "0012"]
    assert table["malignant"].fillna("").tolist() == ["1", "", "0"]
    assert table["benign"].fillna("").tolist() == ["", "", "1"]
    assert table["pixel_mm"].fillna("").tolist() == ["0.1", "", ""]
    assert table["flags"].fillna("").tolist() == ["implant;rolled", "", ""]
    assert table["horizontal_flip"].fillna("").tolist() == ["YES", "", ""]
    assert table["bits_stored"].fillna("").tolist() == ["12", "", ""]
    assert table["study_date"].fillna("").tolist() == ["2024-01-31", "2024-01-31", ""]
    assert table["model"][0].startswith("M 1x")
    assert len(table["model"][0]) == 64
    assert "study_date" not in rows_to_manifest(made, tmp_path, out, dates=False).table.dropna(axis=1, how="all")


def test_no_image_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no rows"):
        rows_to_manifest([], tmp_path, tmp_path / "m.csv")


def test_a_picture_in_no_row_is_of_the_patient_that_the_table_tells_of_its_exam() -> None:
    def picture(name: str, exam: str, patient: str | None = None) -> Seen:
        told = frozenset({"patient"}) if patient else frozenset()
        about = {"laterality": "L", "view": name.upper(), "told": told}
        return Seen(PurePosixPath(f"{exam}_{name}.png"), "used", patient=patient, exam=exam, **about)

    two = [picture("cc", "2", "P2"), picture("ml", "2", "P3"), picture("mlo", "2")]
    rows, _ = make_rows([picture("cc", "1", "P1"), picture("mlo", "1"), *two], None)
    assert [row.patient_id for row in rows] == ["P1", "P1", "P2", "P3", "2"]
    assert rows[0].exam_id == rows[1].exam_id
    assert [SAME_EXAM in row.findings for row in rows] == [False, True, False, False, False]
    assert [NO_PATIENT_IN_NAME in row.findings for row in rows] == [False, False, False, False, True]
