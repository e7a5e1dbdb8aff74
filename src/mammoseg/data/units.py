"""Which images a model looks at together: each alone, the views of a breast, or the views of an exam."""

from collections import defaultdict
from collections.abc import Sequence

from mammoseg.data.manifest import ImageRow

Unit = tuple[ImageRow | None, ...]
"""An image for each of `Sees.views`, in their order, or one alone; None: there is none."""


def units_of(rows: Sequence[ImageRow], views: Sequence[str]) -> list[Unit]:
    """The units of images in the order in which each unit's first image comes; all of them, each once, but for companions.

    Where a view was taken twice there are as many units, the others with the first image of each other view beside it. An
    image of a view that is none of `views` is in no unit.
    """
    if not views:
        return [(row,) for row in rows]
    groups: dict[tuple[str, ...], dict[str, list[ImageRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        name = view_of(row, views)
        if name is not None:
            groups[row.breast_key if name == row.view else (row.exam_id,)][name].append(row)
    units = []
    for group in groups.values():
        for number in range(max(map(len, group.values()))):
            units.append(tuple(_nth(group.get(name, ()), number) for name in views))
    return units


def _nth(images: Sequence[ImageRow], number: int) -> ImageRow | None:
    """The first one, where there are not so many."""
    return images[number] if number < len(images) else next(iter(images), None)


def view_of(row: ImageRow, views: Sequence[str]) -> str | None:
    """Which of the views an image shows; None: none of them."""
    return next((name for name in (row.view, f"{row.laterality}-{row.view}") if name in views), None)
