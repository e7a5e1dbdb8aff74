"""Right breast left, CC above MLO, further images below, gaps where one is missing; mirrored only where chest walls would part."""

from typing import NamedTuple

import pytest

from mammoseg.report.hanging import hang, is_mirrored


class Image(NamedTuple):
    image_id: str
    laterality: str
    view: str


def placed(*names: str) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Of images called like "L-CC-1"."""
    hung, gaps = hang([Image(name, *name.split("-")[:2]) for name in names])
    return (
        {image.image_id: tuple(place) for place, image in hung},
        {f"{gap.laterality}-{gap.view}": tuple(place) for place, gap in gaps},
    )


def test_the_four_views() -> None:
    hung, gaps = placed("L-MLO-1", "L-CC-1", "R-MLO-1", "R-CC-1")
    assert hung == {"R-CC-1": (0, 0), "L-CC-1": (0, 1), "R-MLO-1": (1, 0), "L-MLO-1": (1, 1)}
    assert list(hung) == ["R-CC-1", "L-CC-1", "R-MLO-1", "L-MLO-1"], "in the order of reading"
    assert not gaps


def test_missing_views_are_gaps() -> None:
    hung, gaps = placed("L-MLO-1")
    assert hung == {"L-MLO-1": (1, 1)}
    assert gaps == {"R-CC": (0, 0), "L-CC": (0, 1), "R-MLO": (1, 0)}
    assert placed() == ({}, {"R-CC": (0, 0), "L-CC": (0, 1), "R-MLO": (1, 0), "L-MLO": (1, 1)})


def test_further_images_follow_below_in_the_column_of_their_side() -> None:
    hung, gaps = placed("R-ML-1", "R-CC-2", "R-CC-1", "R-XCCL-1", "R-MLO-1", "L-ML-1", "L-CC-1")
    assert hung["R-CC-1"] == (0, 0)
    assert [name for name, place in hung.items() if place[1] == 0] == [
        "R-CC-1",
        "R-MLO-1",
        "R-CC-2",
        "R-ML-1",
        "R-XCCL-1",
    ]
    assert [place[0] for name, place in hung.items() if place[1] == 0] == [0, 1, 2, 3, 4]
    assert hung["L-ML-1"] == (2, 1)
    assert gaps == {"L-MLO": (1, 1)}


@pytest.mark.parametrize(
    ("side", "points_right", "mirrored"),
    [("R", False, False), ("L", True, False), ("R", True, True), ("L", False, True)],
)
def test_chest_walls_meet(side: str, points_right: bool, mirrored: bool) -> None:
    assert is_mirrored(side, points_right) is mirrored
