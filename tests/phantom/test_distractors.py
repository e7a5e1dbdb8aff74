import numpy as np

from mammoseg.phantom.breast import project, sample_shape
from mammoseg.phantom.config import PhantomConfig
from mammoseg.phantom.distractors import add_blobs, add_vessels, isolated_specks
from mammoseg.phantom.lesions import Place


def _changed(add: str, masses: int, **changes: object) -> float:
    config = PhantomConfig.small(**changes)
    rng = np.random.default_rng(4)
    shape = sample_shape(config, 1, rng)
    drawn = project(shape, "CC", config, rng)
    before = drawn.image.copy()
    if add == "blobs":
        add_blobs(drawn, masses, shape, config, rng)
    else:
        add_vessels(drawn, shape, config, rng)
    assert (drawn.image >= before).all()
    return float((drawn.image - before).max())


def test_a_mass_takes_the_place_of_a_density() -> None:
    assert _changed("blobs", 0, density_blobs=0, decoy_share=1) > 0.03
    assert _changed("blobs", 1, density_blobs=0, decoy_share=1) == 0
    assert _changed("blobs", 2, density_blobs=0, decoy_share=1) == 0


def test_vessels_brighten_by_little() -> None:
    assert 0.01 < _changed("vessels", 0, vessels=8) < 0.6
    assert _changed("vessels", 0, vessels=0) == 0


def test_isolated_specks_stand_where_they_are_told() -> None:
    config = PhantomConfig.small()
    places = [Place(1.0, 2.0, 3.0), Place(4.0, 5.0, 6.0)]
    specks = isolated_specks(places, config, np.random.default_rng(0))
    assert [s.place for s in specks] == places
    assert all(0 < s.contrast <= 0.5 for s in specks)
