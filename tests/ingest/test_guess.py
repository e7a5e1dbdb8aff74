"""Guessed patterns: they fit as many names as they say, find the patient, and quote nothing of a name."""

import re
from pathlib import PurePosixPath

import pytest

from mammoseg.ingest.examine import NO_NAME, Seen
from mammoseg.ingest.guess import guess_pattern, pattern_to_try
from mammoseg.ingest.patterns import compile_pattern

PATIENTS = [f"Anna{n:03}" for n in range(30)]


@pytest.mark.parametrize(
    ("form", "pattern", "patients"),
    [
        ("{s}_{p}_{v}", "{laterality}_{patient}_{view}", 30),
        ("{p}/{s}/{v}", "{patient}/{laterality}/{view}", 30),
        ("{s}/{v}/{p}", "{laterality}/{view}/{p}", 30),
        ("study/{s}/{p} {v} 1", "{*}/{laterality}/{patient} {view} {*}", 30),
        ("{p}_2020_{s}_01_{v}", "{patient}_{laterality}_{*}_{view}", 30),
        ("{v} view, {s} breast {p}", "{view} {*}, {laterality} {patient}", 30),
        ("{p}_exam_{s}{v}_1", "{patient}_{laterality}{view}_{*}", 30),
        ("a/{p}/x y/{s} (z) {v}", "{*}/{patient}/{*}/{laterality} ({*}) {view}", 30),
        ("{s}_{p}_{v}_R", "{laterality}_{patient}_{view}_{*}", 30),
    ],
)
def test_forms_of_names(form: str, pattern: str, patients: int) -> None:
    sides = ("L", "R") if "{s}{v}" in form or "_R" in form else ("left", "right")
    names = [form.format(p=p, s=s, v=v) + ".png" for p in PATIENTS for s in sides for v in ("cc", "mlo")]
    guessed, found = guess_pattern([PurePosixPath(name) for name in [*names, "other.png"]])
    assert guessed == pattern.replace("{p}", "{patient}")
    compiled = compile_pattern(guessed)
    assert len(found) == sum(compiled.match(PurePosixPath(name)) is not None for name in names) == len(names)
    assert len({patient for patient, _, _ in found}) == patients


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["scan1.png", "scan2.png"],
        ["P1_left.png", "P2_right.png"],
        ["left_P1_cc.png", *(f"scan{n}.png" for n in range(9))],
        ["left cc.png"],
    ],
)
def test_names_that_tell_too_little(names: list[str]) -> None:
    assert guess_pattern([PurePosixPath(name) for name in names]) == ("", [])


def test_names_with_signs_of_patterns() -> None:
    guess = guess_pattern([PurePosixPath(name) for name in ("left_{a}_cc.png", "{left}.png", "l_'{}'_cc.png")])
    assert (guess[0], len(guess[1])) == ("{laterality}_{patient}_{view}", 2)


def test_nothing_of_a_name_is_quoted() -> None:
    names = [PurePosixPath(f"Müller/{side}_Anna Müller_x_王_{view}.png") for side in "LR" for view in ("cc", "mlo")]
    pattern, _ = guess_pattern(names)
    assert re.sub(r"\{[a-z*]+\}", "", pattern) == "__"


def seen(name: str, why: str = "") -> Seen:
    return Seen(PurePosixPath(name), "unusable" if why else "used", why, laterality="L", view="CC")


def test_only_a_pattern_that_fits_more_than_could_be_used() -> None:
    unnamed = [seen(f"left_P{n}_cc.png", NO_NAME) for n in range(3)]
    named = [seen(f"P{n}_L_cc.png") for n in range(3)]
    assert pattern_to_try(named) is None
    assert pattern_to_try([*unnamed, *named]) is None
    found = pattern_to_try([*unnamed, *named[:2]])
    assert found == (
        "{laterality}_{patient}_{view}",
        "--pattern '{laterality}_{patient}_{view}' fits 3 of 5 pictures (3 left, 0 right, 3 patients)",
    )
