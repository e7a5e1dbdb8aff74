import numpy as np
import pytest
from pydantic import ValidationError

from mammoseg.phantom.breast import Projection
from mammoseg.phantom.config import FilmConfig, PhantomConfig
from mammoseg.phantom.exam import generate_exam
from mammoseg.phantom.film import density, develop
from mammoseg.prep.film import film_breast

DIGITAL, FILM = (PhantomConfig.small(look=look) for look in ("digital", "film"))
OPENING_PX = round(7 / FILM.pixel_mm)
QUIET = {"rim_mm": (-1, -1), "beside_share": 0, "plate_share": 0, "reader_noise": 0, "quanta_mm2": 1e12}


def flat(grey: float) -> Projection:
    """A field of tissue, far from the skin, with a column of nothing."""
    mask = np.ones((200, 160), bool)
    mask[:, -1] = False
    return Projection(np.full(mask.shape, grey, np.float32), mask, np.full(mask.shape, 50, np.float32), mask * 0.0, 1.0)


def levels(grey: float, pixel_mm: float, **film: object) -> np.ndarray:
    config = PhantomConfig(pixel_mm=pixel_mm, film=FilmConfig.model_validate(QUIET | film))
    return develop(flat(grey), 1.0, "LCC", config, np.random.default_rng(0))[20:-20, 20:-20] / 4095


def test_a_film_shows_the_lesions_of_the_digital_exam() -> None:
    for index in range(4):
        digital, film, again = (generate_exam(config, index, 7) for config in (DIGITAL, FILM, FILM))
        assert film.lesions == digital.lesions
        for name, image in film.images.items():
            np.testing.assert_array_equal(image.malignant_mask, digital.images[name].malignant_mask)
            np.testing.assert_array_equal(image.benign_mask, digital.images[name].benign_mask)
            np.testing.assert_array_equal(image.pixels, again.images[name].pixels)
            assert image.pixels.dtype == np.uint16
            assert image.pixels.max() <= 4095


def test_the_breast_is_found_and_something_lies_beside_it() -> None:
    beside = []
    for index in range(5):
        digital, film = (generate_exam(config, index, 3) for config in (DIGITAL, FILM))
        for name, image in film.images.items():
            breast, found = digital.images[name].pixels > 0, film_breast(image.pixels, OPENING_PX)
            assert found is not None
            assert (breast & found).sum() > 0.9 * (breast | found).sum()
            beside.append((image.pixels[~breast] > 0.8 * 4095).mean())
    assert min(beside) > 0  # letters at least
    assert max(beside) < 0.2


def test_the_curve_has_its_gradient_and_its_ends() -> None:
    film = FilmConfig()
    x = np.linspace(-6, 6, 120_001)
    curve = density(x, film, 3.77, 1.5)
    assert (np.diff(curve) >= 0).all()
    assert curve[[0, -1]] == pytest.approx([film.base_density, film.most_density], abs=1e-3)
    assert density(np.zeros(1), film, 3.77, 1.5) == pytest.approx(1.5)
    low, high = np.interp([film.base_density + 0.25, film.base_density + 2.0], curve, x)
    assert 1.75 / (high - low) == pytest.approx(3.77, rel=1e-3)


def test_denser_tissue_is_brighter() -> None:
    means = [levels(grey, 0.2).mean() for grey in (0.1, 0.3, 0.5, 0.7)]
    assert (np.diff(means) > 0).all()


def test_grain_falls_with_the_side_of_a_pixel_and_rises_with_density() -> None:
    for grey, pixel_mm in ((0.2, 0.1), (0.2, 0.4), (0.5, 0.1)):
        found = levels(grey, pixel_mm, grain_mm2=1e-5)
        black = 3.2 * (1 - found.mean())
        assert 3.2 * found.std() == pytest.approx(np.sqrt(1e-5 * black) / pixel_mm, rel=0.05)


@pytest.mark.parametrize("changes", [{"gradient": (4, 3)}, {"fat_density": (0.1, 1)}, {"marker_mm": (0, 1)}, {"x": 1}])
def test_impossible_films_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PhantomConfig.small(film=changes)
