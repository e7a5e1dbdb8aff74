"""Regions are the pixels whose middles are in them: against the definition, pixel by pixel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mammoseg.ingest.annotation import AnnotationError, Patch
from mammoseg.ingest.regions import box_of, draw_box, draw_ellipse, draw_outlines, points_of

SIZE = (23, 31)
places = st.floats(-20, 50, allow_nan=False)


def whole(patch: Patch) -> NDArray[np.bool_]:
    canvas = np.zeros(SIZE, bool)
    patch.paste(canvas)
    return canvas


def drawn(draw: Callable[..., Patch], *arguments: Any) -> NDArray[np.bool_]:
    """Nothing where it is told that there is nothing to draw."""
    try:
        return whole(draw(*arguments))
    except AnnotationError:
        return np.zeros(SIZE, bool)


def middles() -> NDArray[np.float64]:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


@settings(max_examples=200)
@given(st.lists(st.tuples(places, places), min_size=3, max_size=3))
def test_a_triangle_is_the_middles_in_it(corners: list[tuple[float, float]]) -> None:
    points, at = np.array(corners), middles()
    edges = np.roll(points, -1, axis=0) - points
    side = np.stack([e[0] * (at[:, 1] - p[1]) - e[1] * (at[:, 0] - p[0]) for p, e in zip(points, edges, strict=True)])
    inside = ((side > 1e-9).all(axis=0) | (side < -1e-9).all(axis=0)).reshape(SIZE)
    outside = ((side > 1e-9).any(axis=0) & (side < -1e-9).any(axis=0)).reshape(SIZE)
    found = drawn(draw_outlines, [points_of(corners, "")], SIZE)
    assert found[inside].all()
    assert not (inside.any() and found[outside].any())  # without any middle in it, it is the pixels that it passes


@settings(max_examples=100)
@given(places, places, st.floats(1, 15), st.floats(1, 15), st.floats(0, 3))
def test_an_ellipse_is_the_middles_in_it(x: float, y: float, a: float, b: float, angle: float) -> None:
    dx, dy = (middles() - (x, y)).T
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    distance = ((u / a) ** 2 + (v / b) ** 2).reshape(SIZE)
    found = drawn(draw_ellipse, (x, y), (a, b), SIZE, angle)
    assert found[distance < 1 - 1e-9].all()
    assert not found[distance > 1 + 1e-9].any() or found.sum() == 1  # the pixel of its middle, where it has no other


def test_an_outline_that_overlaps_itself_has_no_hole() -> None:
    star = [(15 + 10 * np.cos(t), 11 + 10 * np.sin(t)) for t in np.arange(5) * 4 * np.pi / 5]
    assert whole(draw_outlines([points_of(star, "")], SIZE))[11, 15]


def test_outlines_are_united() -> None:
    one, other = points_of([0, 0, 4, 0, 4, 4, 0, 4], ""), points_of([2, 2, 6, 2, 6, 6, 2, 6], "")
    assert whole(draw_outlines([one, other], SIZE)).sum() == 16 + 16 - 4


@pytest.mark.parametrize(
    ("corners", "pixels"),
    [([(3, 3), (3, 3), (3, 3)], 1), ([(3.2, 3.2), (3.3, 3.2), (3.3, 3.3)], 1), ([(2, 3), (8, 3), (5, 3)], 7)],
)
def test_what_is_thinner_than_a_pixel_is_the_pixels_it_passes(corners: list[tuple[float, float]], pixels: int) -> None:
    assert whole(draw_outlines([points_of(corners, "")], SIZE)).sum() == pixels


def test_a_region_beyond_the_image_is_cut_off() -> None:
    huge = points_of([(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)], "")
    assert whole(draw_outlines([huge], SIZE)).all()
    beyond = points_of([(100, 100), (120, 100), (120, 120)], "")
    for draw in (lambda: draw_outlines([huge[:0], beyond], SIZE), lambda: draw_ellipse((99, 99), (5, 5), SIZE)):
        with pytest.raises(AnnotationError, match="no pixel"):
            draw()
    assert whole(draw_ellipse((0, 0), (1e6, 1e6), SIZE)).all()


def test_boxes() -> None:
    assert box_of([(30.5, 9), (2, 40)], SIZE) == (9, 2, 23, 30.5)
    assert whole(draw_box((1, 2, 4, 9), SIZE)).sum() == 21
    assert np.argwhere(whole(draw_box((1.6, 2.6, 1.9, 2.8), SIZE))).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "numbers", [[np.nan, 1], [1, np.inf], [1e7, 0], [1, 2, 3], ["a", "b"], [[1, 2], [3]], [{}, {}], [10**400, 1]]
)
def test_no_places(numbers: list[object]) -> None:
    with pytest.raises(AnnotationError):
        points_of(numbers, "a shape")  # type: ignore[arg-type]


def test_more_corners_and_crossings_than_an_outline_has() -> None:
    with pytest.raises(AnnotationError, match="Simplify"):
        points_of(np.zeros((100_001, 2)), "a shape")
    zigzag = np.stack([np.arange(100_000) % 7, np.arange(100_000) % 2 * 4000.0], axis=1)
    with pytest.raises(AnnotationError, match="too often"):
        draw_outlines([zigzag], (4000, 3000))
