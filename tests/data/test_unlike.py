"""Images of the same source are like the training images, those of another are not, and the reason is told in words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mammoseg.data.domain import Domain, domain_of
from mammoseg.data.unlike import as_notes, differences, summary, unlike_as_a_set
from mammoseg.records.breast import BreastFacts


def breasts(
    count: int, seed: int, shares: tuple[float, ...] = (0.2, 0.4, 0.5, 0.7, 1), **fixed: Any
) -> list[BreastFacts]:
    rng = np.random.default_rng(seed)
    found = [
        BreastFacts(
            in_window=1,
            fills_window=float(rng.normal(0.45, 0.05)),
            area_mm2=float(rng.normal(14000, 1500)),
            pixel_mm=0.07,
            levels=tuple((np.array([0.2, 0.4, 0.5, 0.7, 1]) * rng.normal(1, 0.05, 5) * 3000).tolist()),
            grain=float(np.exp(rng.normal(-4.6, 0.1))),
        )
        for _ in range(count)
    ]
    return [replace(each, **fixed) for each in found]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return domain_of(breasts(200, 0), ["Hologic"] * 200)


def told(domain: Domain, facts: BreastFacts, manufacturer: str | None = None) -> list[str]:
    return [str(difference) for difference in differences(domain, facts, manufacturer)]


def test_the_same_source(domain: Domain) -> None:
    found = [differences(domain, facts, "HOLOGIC, Inc.") for facts in breasts(200, 1)]
    assert sum(map(bool, found)) <= 2
    assert not unlike_as_a_set(domain, breasts(200, 1))


@pytest.mark.parametrize("count", [20, 30])
def test_few_training_images_accuse_nobody(count: int) -> None:
    few = domain_of(breasts(count, 0), [])
    assert sum(bool(differences(few, facts)) for facts in breasts(200, 1)) <= 10
    assert not unlike_as_a_set(few, breasts(60, 1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"pixel_mm": 0.05}, "pixel size 0.05 mm, training 0.07 mm"),
        ({"pixel_mm": None}, "pixel size unknown, training 0.07 mm"),
        ({"pixel_mm": 0.0725}, None),
        ({"area_mm2": 40000.0}, "area of the breast 400 cm2, training "),
        ({"area_mm2": None}, None),
        ({"levels": (51.0, 102.0, 128.0, 179.0, 255.0)}, "brightest stored values 255, training 2"),
        ({"levels": (5000.0, 10000.0, 12500.0, 17500.0, 25000.0)}, "brightest stored values 25000, training 2"),
        ({"grain": 0.05}, "look of the breast, above all grain 0.05 of the brightest, training 0.008"),
        ({"fills_window": 0.1}, "look of the breast, above all size 0.1 of the window, training 0.3"),
        ({"levels": (60.0, 90.0, 1500.0, 2100.0, 3000.0)}, "look of the breast, above all dark"),
    ],
    ids=str,
)
def test_what_differs_is_told(domain: Domain, change: dict[str, Any], expected: str | None) -> None:
    [usual] = breasts(1, 3, fills_window=0.45, grain=0.01, area_mm2=14000.0)
    found = told(domain, replace(usual, **change))
    assert len(found) == (expected is not None)
    assert all(text.startswith(str(expected)) for text in found)


def test_manufacturers(domain: Domain) -> None:
    [usual] = breasts(1, 3)
    assert told(domain, usual, "Siemens AG") == ["manufacturer siemens, training hologic"]
    assert told(domain, usual) == []
    assert told(domain_of(breasts(200, 0), []), usual, "Siemens AG") == []


def test_what_training_did_not_know_is_not_compared() -> None:
    nothing = domain_of(breasts(5, 0, pixel_mm=None, area_mm2=None), [])
    [odd] = breasts(1, 3, pixel_mm=0.2, area_mm2=90000.0, grain=0.2)
    assert told(nothing, odd, "Maker") == []
    assert not unlike_as_a_set(nothing, [odd] * 50)


def test_unknown_pixel_sizes_are_usual_where_some_were_unknown() -> None:
    some = domain_of([*breasts(90, 0), *breasts(10, 1, pixel_mm=None)], [])
    [unknown] = breasts(1, 3, pixel_mm=None)
    assert told(some, unknown) == []


def test_one_remark_for_an_image(domain: Domain) -> None:
    [odd] = breasts(1, 3, pixel_mm=0.05)
    assert as_notes(differences(domain, odd, "Siemens")) == (
        "unlike the training data: pixel size 0.05 mm, training 0.07 mm; manufacturer siemens, training hologic",
    )
    assert as_notes(()) == ()


def test_a_line_about_all_images(domain: Domain) -> None:
    facts = [*breasts(9, 1), *breasts(31, 2, pixel_mm=0.05)]
    found = [differences(domain, one) for one in facts]
    assert summary(domain, facts, found) == (
        "31 of 40 images are unlike the training data: pixel size 0.05 mm, training 0.07 mm (31)"
    )
    facts[0] = replace(facts[0], pixel_mm=0.2)
    found = [differences(domain, one, "Siemens") for one in facts]
    assert summary(domain, facts, found) == (
        "40 of 40 images are unlike the training data: pixel size 0.05 to 0.2 mm, training 0.07 mm (32); "
        "manufacturer siemens, training hologic (40)"
    )
    assert summary(domain, breasts(9, 1), [()] * 9) is None
    assert "not known" in str(summary(None, facts, found))


def test_a_source_whose_images_are_all_within_the_range(domain: Domain) -> None:
    """With a little more grain than usual, every one of them."""
    facts = [replace(one, grain=1.3 * one.grain) for one in breasts(40, 5)]
    found = [differences(domain, one) for one in facts]
    assert sum(map(bool, found)) < 20, "the case is not the one that is meant"
    assert unlike_as_a_set(domain, facts)
    assert "another source" in str(summary(domain, facts, found))
    assert not unlike_as_a_set(domain, facts[:9]), "too few to tell"
