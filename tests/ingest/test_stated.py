"""Header before name before table: who tells what, what is a finding, and whose word counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mammoseg.ingest.stated import essence, number, settle
from mammoseg.io.dicom.header import DicomHeader, read_header

NAMES = {"laterality": "L", "view": "CC"}
TOLD = {"laterality": "R", "view": "MLO", "patient": "7", "exam": "2020"}


@pytest.fixture
def silent(write_mammogram: Callable[..., Path], tmp_path: Path) -> DicomHeader:
    """A header without side, view and patient."""
    nothing = {"ViewPosition": None, "ImageLaterality": None, "PatientOrientation": None, "PatientID": ""}
    return read_header(write_mammogram(tmp_path / "x", **nothing))


def test_a_table_tells_everything_of_a_picture() -> None:
    stated = settle(None, {}, TOLD)
    assert (stated["laterality"], stated["view"], stated["patient"], stated["exam"]) == ("R", "MLO", "7", "2020")
    assert stated["told"] == set(TOLD)
    assert set(stated["findings"]) == {
        f"the {name} is taken from the table of labels" for name in ("laterality", "view")
    }


def test_a_table_completes_what_a_name_tells_in_part() -> None:
    stated = settle(None, {"laterality": "R"}, TOLD)
    assert (stated["view"], stated["told"]) == ("MLO", {"view", "patient", "exam"})
    assert stated["findings"] == ("the view is taken from the table of labels",)
    assert settle(None, {"laterality": "R"}, {"patient": "7"})["view"] is None


def test_a_name_wins_against_a_table() -> None:
    stated = settle(None, NAMES, TOLD)
    assert (stated["laterality"], stated["view"]) == ("L", "CC")
    assert stated["told"] == {"patient", "exam"}
    assert set(stated["findings"]) == {
        f"the table of labels tells another {name} than the file name: the file name is used"
        for name in ("laterality", "view")
    }


def test_a_header_wins_against_both(write_mammogram: Callable[..., Path], tmp_path: Path) -> None:
    header = read_header(write_mammogram(tmp_path / "x"))
    stated = settle(header, {"laterality": "R", "view": "CC"}, TOLD)
    assert (stated["laterality"], stated["view"], stated["patient"], stated["exam"]) == ("L", "CC", "P1", "1.2.3")
    assert not stated["told"]
    assert set(stated["findings"]) == {
        "the file name tells another laterality than the header: the header is used",
        "the table of labels tells another laterality than the header: the header is used",
        "the table of labels tells another view than the header: the header is used",
        "the table of labels tells another patient than the header: the header is used",
    }


def test_a_silent_header(silent: DicomHeader) -> None:
    stated = settle(silent, {"laterality": "L"}, TOLD)
    assert (stated["laterality"], stated["view"], stated["patient"]) == ("L", "MLO", "7")
    assert {"the laterality is taken from the name", "the view is taken from the table of labels"} <= {
        *stated["findings"]
    }
    assert not [text for text in stated["findings"] if "not stated" in text]
    assert [settle(silent, {}, {})[name] for name in ("laterality", "view")] == [None, None]


def test_an_id_in_another_spelling_is_no_contradiction() -> None:
    stated = settle(None, NAMES | {"patient": "0012"}, NAMES | {"patient": "12.0"})
    assert (stated["patient"], stated["findings"]) == ("0012", ())


@pytest.mark.parametrize(("text", "same"), [("10006.0", "10006"), ("12,00", "0012"), ("0", "000"), ("p002", "P002")])
def test_the_same_id(text: str, same: str) -> None:
    assert essence(text) == essence(same)


@pytest.mark.parametrize(("text", "other"), [("1.2", "1.20"), ("P12", "12"), ("P02", "P2")])
def test_other_ids(text: str, other: str) -> None:
    assert essence(text) != essence(other)


def test_a_number_keeps_its_zeros_in_front() -> None:
    assert number("0012.0") == "0012"
