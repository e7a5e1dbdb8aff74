"""Outlines of drawn lesions, from maps that lie beside them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.models.glam.grow import contour, outline, seed

SHAPE = (120, 90)
RADII = (5.0, 27.0)


def disc(centre: tuple[int, int], radius: float, shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """A bright disc with a soft margin, on noise."""
    noise = np.random.default_rng(0).normal(0, 0.05, shape)
    return (1 / (1 + np.exp((away(centre, shape) - radius) / 1.5)) + noise).astype(np.float32)


def away(centre: tuple[int, int], shape: tuple[int, int] = SHAPE) -> NDArray[np.float64]:
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(rows - centre[0], cols - centre[1])


def blob(centre: tuple[int, int], shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """A map of a quarter of the rows and columns, as wide as a lesion."""
    rows, cols = np.mgrid[: shape[0] // 4, : shape[1] // 4] * 4 + 2
    return np.exp(-((rows - centre[0]) ** 2 + (cols - centre[1]) ** 2) / (2 * 15**2)).astype(np.float32)


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def filled(corners_N2: NDArray[np.float64], shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    points = np.floor(corners_N2[:, ::-1]).astype(np.int32)
    return cv2.fillPoly(np.zeros(shape, np.uint8), [points], 1) > 0


@pytest.mark.parametrize("radius", [6, 10, 18])
@pytest.mark.parametrize("beside", [(0, 0), (8, -7)])
def test_the_lesion_that_the_map_points_at(radius: int, beside: tuple[int, int]) -> None:
    image, truth = disc((50, 40), radius), away((50, 40)) <= radius
    image += disc((100, 75), 8)  # another one, at which the map does not point
    found = outline(image, blob((50 + beside[0], 40 + beside[1])), RADII)
    assert found is not None
    assert dice(filled(found), truth) > 0.7


def test_in_a_large_image_it_is_found_in_a_small_one() -> None:
    shape = (960, 720)
    image, truth = disc((400, 320), 90, shape), away((400, 320), shape) <= 90
    found = outline(image, blob((430, 300), shape), (43.0, 214.0))
    assert found is not None
    assert found.max() > 400
    assert dice(filled(found, shape), truth) > 0.7


def test_the_seed_is_where_gradients_meet() -> None:
    row, col = seed(disc((50, 40), 10), blob((56, 35)))
    assert np.hypot(row - 50, col - 40) < 3


def test_at_the_border_of_the_image() -> None:
    found = contour(disc((3, 2), 12), (3, 2), RADII)
    assert found is not None
    assert dice(found, away((3, 2)) <= 12) > 0.8


def test_where_nothing_has_the_size_of_a_lesion_there_is_no_outline() -> None:
    flat = np.zeros(SHAPE, np.float32)
    assert outline(flat, blob((50, 40)), RADII) is None
    assert contour(disc((50, 40), 10), (50, 40), (40.0, 50.0)) is None
