"""The side a breast points to: from the table, from the pixels, and when they disagree."""

import numpy as np
import pytest

from mammoseg.prep.breast import Mask
from mammoseg.prep.orient import points_right, points_right_by_pixels
from mammoseg.records.image import Laterality, Mammogram


def half_ellipse(points_right: bool, gap: int = 0) -> Mask:
    y, x = np.mgrid[:200, :150]
    mask = (((y - 100) / 80) ** 2 + ((x - gap) / 110) ** 2 <= 1) & (x >= gap)
    return mask if points_right else mask[:, ::-1]


def image(laterality: Laterality, horizontal_flip: bool | None) -> Mammogram:
    return Mammogram(np.ones((200, 150), np.uint16), laterality, "CC", "a", horizontal_flip=horizontal_flip)


@pytest.mark.parametrize("gap", [0, 30])
@pytest.mark.parametrize("right", [True, False])
def test_seen_in_the_pixels(right: bool, gap: int) -> None:
    assert points_right_by_pixels(half_ellipse(right, gap)) is right


def test_unclear_in_the_pixels() -> None:
    assert points_right_by_pixels(np.ones((50, 40), bool)) is None


@pytest.mark.parametrize(
    ("laterality", "horizontal_flip", "right"),
    [("L", False, True), ("R", False, False), ("L", True, False), ("R", True, True)],
)
def test_table(laterality: Laterality, horizontal_flip: bool, right: bool) -> None:
    assert points_right(image(laterality, horizontal_flip), half_ellipse(right)) == (right, ())
    against, notes = points_right(image(laterality, horizontal_flip), half_ellipse(not right))
    assert against == right
    assert "check horizontal_flip" in notes[0]


@pytest.mark.parametrize(("laterality", "right"), [("L", True), ("R", False)])
def test_pixels_decide_where_the_table_is_silent(laterality: Laterality, right: bool) -> None:
    assert points_right(image(laterality, None), half_ellipse(right)) == (right, ())
    seen, notes = points_right(image(laterality, None), half_ellipse(not right))
    assert seen != right
    assert "wrong laterality in the table or mirrored file: check" in notes[0]
    assert points_right(image(laterality, None), np.ones((50, 40), bool)) == (right, ())
