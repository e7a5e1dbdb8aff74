"""Laterality from its several places, and horizontal_flip from Patient Orientation."""

import numpy as np
import pytest

from mammoseg.io.dicom.orientation import read_horizontal_flip, read_laterality
from mammoseg.prep.orient import points_right
from mammoseg.records.image import Laterality, Mammogram

USUAL = [("L", "CC", "A", "R"), ("R", "CC", "P", "L"), ("L", "MLO", "A", "FR"), ("R", "MLO", "P", "FL")]


@pytest.mark.parametrize(("side", "view", "row", "column"), USUAL)
def test_usual_and_mirrored(side: Laterality, view: str, row: str, column: str) -> None:
    assert read_horizontal_flip((row, column), side, view) == (False, ())
    mirrored = "P" if row == "A" else "A"
    assert read_horizontal_flip((mirrored, column), side, view) == (True, ())


@pytest.mark.parametrize(("side", "view", "row", "column"), USUAL)
@pytest.mark.parametrize("mirrored", [False, True])
def test_means_the_same_as_in_the_preparation(
    side: Laterality, view: str, row: str, column: str, mirrored: bool
) -> None:
    """A drawn breast that points to the front of the rows is oriented without a complaint."""
    row = {"A": "P", "P": "A"}[row] if mirrored else row
    breast = np.tri(80, 40, dtype=bool)[::-1]  # most rows at the left: it points right
    if row == "P":
        breast = breast[:, ::-1]
    flip, _ = read_horizontal_flip((row, column), side, view)
    image = Mammogram(breast.astype(np.uint8), side, view, "a", horizontal_flip=flip)
    assert flip is mirrored
    assert points_right(image, breast) == (row == "A", ())


@pytest.mark.parametrize(("side", "view", "row", "column"), USUAL)
def test_orientation_of_the_other_breast(side: Laterality, view: str, row: str, column: str) -> None:
    other: Laterality = "R" if side == "L" else "L"
    flip, findings = read_horizontal_flip((row, column), other, view)
    assert flip is None
    assert len(findings) == 1
    flip, findings = read_horizontal_flip((row, column), other, None)
    assert (flip, len(findings)) == (None, 1)


def test_oblique_columns_name_the_breast_whatever_the_rows_say() -> None:
    assert read_horizontal_flip(("A", "FL"), "L", "MLO")[0] is None
    assert read_horizontal_flip(("A", "FL"), "R", "MLO")[0] is True
    assert read_horizontal_flip(("A", "FL"), "L", "SIO")[0] is False  # the other oblique plane


@pytest.mark.parametrize(("column", "view"), [("L", "CC"), ("HL", "MLO"), ("H", "ML")])
def test_upside_down(column: str, view: str) -> None:
    flip, findings = read_horizontal_flip(("A", column), "L", view)
    assert flip is False
    assert findings == ("the picture is upside down (Patient Orientation)",)


@pytest.mark.parametrize("orientation", [("A", "F"), ("A",), ("A", ""), ("AL", "F")])
def test_rows_are_enough(orientation: tuple[str, ...]) -> None:
    assert read_horizontal_flip(orientation, "L", "ML") == (False, ())
    assert read_horizontal_flip(orientation, "R", "ML") == (True, ())


@pytest.mark.parametrize("orientation", [(), ("",), ("", "")])
def test_absent(orientation: tuple[str, ...]) -> None:
    assert read_horizontal_flip(orientation, "L", "CC") == (None, ())


@pytest.mark.parametrize("orientation", [("L", "F"), ("R", "A"), ("F", "A"), ("CC",), ("", "R"), ("X", "Y")])
def test_unusable_is_a_finding(orientation: tuple[str, ...]) -> None:
    flip, findings = read_horizontal_flip(orientation, "L", "CC")
    assert (flip, len(findings)) == (None, 1)


def test_without_laterality() -> None:
    assert read_horizontal_flip(("A", "R"), None, "CC") == (None, ())


def test_first_place_wins() -> None:
    assert read_laterality([("a", ("L",)), ("b", ("L",))], None) == ("L", ())
    assert read_laterality([("a", ()), ("b", ("right",))], None) == ("R", ())
    side, findings = read_laterality([("Image Laterality", ("L",)), ("Laterality", ("R",))], None)
    assert side == "L"
    assert findings == ("Image Laterality says L, Laterality says R: L is used",)


@pytest.mark.parametrize("values", [(), ("",), ("B",), ("U",), ("b",)])
def test_no_side(values: tuple[str, ...]) -> None:
    assert read_laterality([("a", values)], None) == (None, ())


@pytest.mark.parametrize("values", [("L", "R"), ("X",), ("SECRET",)])
def test_unusable_side_is_a_finding(values: tuple[str, ...]) -> None:
    side, findings = read_laterality([("a", values)], None)
    assert (side, len(findings)) == (None, 1)
    assert "SECRET" not in findings[0]


def test_side_named_with_the_view() -> None:
    side, findings = read_laterality([("a", ())], "R")
    assert (side, len(findings)) == ("R", 1)
    assert read_laterality([("a", ("R",))], "R") == ("R", ())
    side, findings = read_laterality([("a", ("L",))], "R")
    assert (side, len(findings)) == ("L", 1)
