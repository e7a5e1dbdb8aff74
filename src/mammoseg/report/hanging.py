"""How the images of an exam hang: the right breast at the left, chest walls back to back, CC above MLO, further images below.

An image hangs as its file shows it. Only where the breast of a right image points right, or that of a left one left, it is shown
mirrored, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

SIDES = ("R", "L")
"""In the order of the columns."""
VIEWS = ("CC", "MLO")
"""In the order of the rows that an exam always has."""


class Hung(Protocol):
    """What hangs: of a side and of a view."""

    @property
    def image_id(self) -> str: ...
    @property
    def laterality(self) -> str: ...
    @property
    def view(self) -> str: ...


T = TypeVar("T", bound=Hung)


class Place(NamedTuple):
    """Where something hangs."""

    row: int
    column: int


@dataclass(frozen=True)
class Gap:
    """A view that an exam should have and has not."""

    laterality: str
    view: str


def hang(images: Sequence[T]) -> tuple[list[tuple[Place, T]], list[tuple[Place, Gap]]]:
    """Images with their places, in reading order, and the gaps.

    The first image of each side and view, by its id, is among the four; all others follow below in the column of their side,
    the four's views first, others by the name of their view.
    """
    ordered = sorted(images, key=lambda image: (_rank(image.view), image.view, image.image_id))
    hung: list[tuple[Place, T]] = []
    gaps: list[tuple[Place, Gap]] = []
    for column, side in enumerate(SIDES):
        rest = [image for image in ordered if image.laterality == side]
        for row, view in enumerate(VIEWS):
            first = next((image for image in rest if image.view == view), None)
            if first is None:
                gaps.append((Place(row, column), Gap(side, view)))
            else:
                rest.remove(first)
                hung.append((Place(row, column), first))
        hung += [(Place(row, column), image) for row, image in enumerate(rest, start=len(VIEWS))]
    return sorted(hung, key=lambda pair: pair[0]), sorted(gaps, key=lambda pair: pair[0])


def is_mirrored(laterality: str, points_right: bool) -> bool:
    """Whether an image is shown mirrored, so that chest walls meet: right breasts are to point left, left ones right."""
    return points_right == (laterality == "R")


def _rank(view: str) -> int:
    return VIEWS.index(view) if view in VIEWS else len(VIEWS)
