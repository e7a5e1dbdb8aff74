import numpy as np

from mammoseg.phantom.breast import View, height_mm, project, sample_shape
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.placement import sample_place

SMALL = PhantomConfig.small()
VIEWS: tuple[View, View] = ("CC", "MLO")


def test_places_are_inside_the_tissue_of_both_views() -> None:
    for i in range(10):
        rng = np.random.default_rng(i)
        shape = sample_shape(SMALL, 1, rng)
        views = {view: project(shape, view, SMALL, rng) for view in VIEWS}
        place = sample_place(shape, views, 5.0, SMALL, rng)
        for view, drawn in views.items():
            height = height_mm(view, place.lateral, place.superior, shape.angle)
            row, column = (int(x) for x in drawn.pixel(height, place.depth, SMALL.pixel_mm))
            assert drawn.skin_mm[row, column] >= 8
            assert drawn.pectoral[row, column] == 0


def test_a_lesion_too_large_gets_the_roomiest_place() -> None:
    rng = np.random.default_rng(0)
    shape = sample_shape(SMALL, 1, rng)
    views = {view: project(shape, view, SMALL, rng) for view in VIEWS}
    place = sample_place(shape, views, 1000.0, SMALL, rng)
    row, column = (int(x) for x in views["CC"].pixel(place.lateral, place.depth, SMALL.pixel_mm))
    assert views["CC"].skin_mm[row, column] > 10
