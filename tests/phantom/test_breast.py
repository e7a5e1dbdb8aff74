import numpy as np
import pytest
from scipy import ndimage

from mammoseg.phantom.breast import View, height_mm, project, sample_shape
from mammoseg.phantom.config import PhantomConfig

SMALL = PhantomConfig.small()


@pytest.mark.parametrize("view", ["CC", "MLO"])
@pytest.mark.parametrize("density", range(4))
def test_breast_is_one_piece_at_the_chest_wall(view: View, density: int) -> None:
    rng = np.random.default_rng(density)
    for _ in range(5):
        drawn = project(sample_shape(SMALL, density, rng), view, SMALL, rng)
        assert drawn.mask.shape == (416, 320)
        assert ndimage.label(drawn.mask)[1] == 1
        assert drawn.mask[:, 0].mean() > 0.4
        assert not drawn.mask[:, -1].any()
        assert (drawn.image[~drawn.mask] == 0).all()
        assert 0 < drawn.image[drawn.mask].mean() < 0.8
        assert (drawn.pectoral.max() > 0) == (view == "MLO")


def test_muscle_is_in_the_upper_corner_and_brighter_than_fat() -> None:
    rng = np.random.default_rng(5)
    drawn = project(sample_shape(SMALL, 0, rng), "MLO", SMALL, rng)
    rows, columns = np.nonzero(drawn.pectoral == 1)
    assert rows.min() == 0
    assert columns.min() == 0
    beside = drawn.mask & (drawn.pectoral == 0) & (drawn.skin_mm > 10)
    assert drawn.image[rows, columns].mean() > drawn.image[:60][beside[:60]].mean() + 0.1


def test_denser_breasts_are_brighter() -> None:
    means = []
    for density in range(4):
        values = []
        for i in range(10):
            rng = np.random.default_rng(i)
            drawn = project(sample_shape(SMALL, density, rng), "CC", SMALL, rng)
            values.append(drawn.image[drawn.skin_mm > 10].mean())
        means.append(np.mean(values))
    assert (np.diff(means) > 0.01).all()


def test_heights_of_a_place() -> None:
    assert height_mm("CC", 12.0, -30.0, np.pi / 4) == 12.0
    assert height_mm("MLO", 12.0, -30.0, np.pi / 4) == pytest.approx(-18 / np.sqrt(2))


def test_a_shape_fits_a_field_smaller_than_the_breast() -> None:
    tiny = PhantomConfig.small(rows=200, columns=128)
    rng = np.random.default_rng(0)
    for _ in range(10):
        shape = sample_shape(tiny, 2, rng)
        assert shape.depth_mm <= 0.88 * 128 * 0.56
        assert not project(shape, "CC", tiny, rng).mask[:, -1].any()
