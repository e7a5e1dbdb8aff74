"""Which images are looked at together."""

from pathlib import Path

from mammoseg.data.image_row import ImageRow
from mammoseg.data.units import units_of

BREAST = ("CC", "MLO")
EXAM = ("L-CC", "R-CC", "L-MLO", "R-MLO")


def image(name: str, exam: str = "e") -> ImageRow:
    """`L-CC` or `L-CC-2`."""
    side, view = name.split("-")[:2]
    return ImageRow("p", exam, f"{exam}_{name}", side, view, Path("x.png"))  # type: ignore[arg-type]


def names(rows: list[ImageRow], views: tuple[str, ...]) -> list[list[str | None]]:
    return [[row and row.image_id for row in unit] for unit in units_of(rows, views)]


def test_alone() -> None:
    assert names([image("L-CC"), image("R-ML")], ()) == [["e_L-CC"], ["e_R-ML"]]


def test_the_views_of_a_breast_in_their_order() -> None:
    rows = [image("L-MLO"), image("R-CC"), image("L-CC"), image("L-CC", "f")]
    assert names(rows, BREAST) == [["e_L-CC", "e_L-MLO"], ["e_R-CC", None], ["f_L-CC", None]]


def test_the_views_of_an_exam() -> None:
    rows = [image("L-MLO"), image("R-CC"), image("L-CC")]
    assert names(rows, EXAM) == [["e_L-CC", "e_R-CC", "e_L-MLO", None]]


def test_of_a_view_taken_twice_each_is_there_with_the_first_of_the_others() -> None:
    rows = [image("L-CC"), image("L-CC-2"), image("L-MLO")]
    assert names(rows, BREAST) == [["e_L-CC", "e_L-MLO"], ["e_L-CC-2", "e_L-MLO"]]


def test_other_views_are_in_no_unit() -> None:
    assert names([image("L-ML"), image("L-CC")], BREAST) == [["e_L-CC", None]]
