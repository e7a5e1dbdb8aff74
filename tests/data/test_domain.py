"""Statistics of training images: what they are, that they survive a file, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mammoseg.config import ConfigError, parse
from mammoseg.data.domain import FEATURES, Domain, domain_of, features_of, maker_of
from mammoseg.records.breast import BreastFacts


def breasts(count: int, seed: int = 0) -> list[BreastFacts]:
    """Images of one source: pixels of 0.07 to 0.1 mm, 12 bits."""
    rng = np.random.default_rng(seed)
    return [
        BreastFacts(
            in_window=float(rng.uniform(0.95, 1)),
            fills_window=float(rng.uniform(0.3, 0.6)),
            area_mm2=float(rng.uniform(8000, 20000)),
            pixel_mm=float(rng.choice([0.07, 0.1])),
            levels=tuple((np.array([0.2, 0.4, 0.5, 0.7, 1]) * rng.uniform(0.95, 1.05, 5) * 3000).tolist()),
            grain=float(rng.uniform(0.008, 0.012)),
        )
        for _ in range(count)
    ]


def test_ranges() -> None:
    facts = breasts(200)
    domain = domain_of([*facts, replace(facts[0], pixel_mm=None, area_mm2=None)], [])
    assert (domain.images, domain.sized, domain.pixel_mm) == (201, 200, (0.07, 0.1))
    assert domain.area_mm2 == pytest.approx(tuple(np.percentile([f.area_mm2 or 0 for f in facts], [1, 99])))
    assert domain.brightest == pytest.approx((2850, 3150), rel=0.01)
    assert domain.in_window == pytest.approx((0.95, 1), abs=0.01)
    assert len(domain.features) == len(domain.mean) == len(FEATURES)


def test_the_distance_is_that_of_mahalanobis() -> None:
    facts = breasts(200)
    domain, features_NF = domain_of(facts, []), features_of(facts)
    distances_N = domain.distances(features_NF)
    assert distances_N.max() == domain.farthest
    assert np.mean(distances_N**2) == pytest.approx(len(FEATURES), rel=0.2)
    one_away = np.array(domain.mean) + np.sqrt(np.diag(domain.covariance)) * np.eye(len(FEATURES))[0]
    assert domain.distances(one_away[None])[0] >= 1


def test_levels_do_not_depend_on_the_bits_of_a_file() -> None:
    [one] = breasts(1)
    eight_bits = replace(one, levels=tuple(level / 16 for level in one.levels))
    np.testing.assert_allclose(features_of([one]), features_of([eight_bits]))


@pytest.mark.parametrize("count", [0, 1, 19])
def test_few_images_give_ranges_only(count: int) -> None:
    domain = domain_of(breasts(count), [None] * count)
    assert (domain.images, domain.knows_features, domain.mean, domain.farthest) == (count, False, (), 0)
    assert (domain.pixel_mm is None) == (count == 0)


def test_images_that_are_all_alike() -> None:
    domain = domain_of(breasts(1) * 30, [])
    assert domain.farthest == pytest.approx(0, abs=1e-6)


def test_manufacturers_by_their_first_word() -> None:
    names = ["HOLOGIC, Inc.", "Hologic", None, "", "GE MEDICAL SYSTEMS", "SIEMENS-Healthineers", "--"]
    assert domain_of([], names).manufacturers == ("ge", "hologic", "siemens")
    assert maker_of("x" * 1000) == "x" * 40


def test_it_survives_a_file_and_holds_nothing_else() -> None:
    domain = domain_of(breasts(50), ["Maker"] * 50)
    text = json.dumps(domain.model_dump(mode="json"))
    assert parse(Domain, json.loads(text), "here") == domain
    assert len(text) < 3000, "statistics, not images"


@pytest.mark.parametrize(
    "change",
    [
        {"mean": [0.5]},
        {"covariance": [[1.0]]},
        {"covariance": [[0.0] * 6] * 6},
        {"mean": [float("nan")] * 6},
        {"features": []},
        {"images": -1},
        {"farthest": "far"},
        {"manufacturers": ["a"] * 101},
    ],
    ids=str,
)
def test_what_cannot_be_statistics_is_refused(change: dict[str, object]) -> None:
    values = domain_of(breasts(50), []).model_dump(mode="json")
    with pytest.raises(ConfigError, match="here"):
        parse(Domain, values | change, "here")
