"""Windows judged by the images of a folder: medians, the rows below the limit, and films."""

from pathlib import PurePosixPath

import pytest

from mammoseg.ingest.examine import Seen
from mammoseg.ingest.exams import Row
from mammoseg.ingest.quality import GREY
from mammoseg.ingest.report.windows import are_films, judge_windows, pixel_sizes
from mammoseg.prep.config import PrepConfig
from mammoseg.records.breast import BreastFacts

DIGITAL, FILM = PrepConfig(window=(96, 64)), PrepConfig(window=(80, 60), background="film")
WINDOWS = {"a, b": DIGITAL, "film": FILM}


def row(in_window: float | None, fills: float = 0.4, pixel_mm: float | None = None, grey: bool = False) -> Row:
    facts = None if in_window is None else BreastFacts(in_window, fills, None, pixel_mm, (0.0,) * 5, 0.0)
    seen = Seen(PurePosixPath("a.png"), "used", told_pixel_mm=pixel_mm, windows=dict.fromkeys(WINDOWS, facts))
    return Row(seen, "p", "e", "i", (GREY,) if grey else ())


def test_the_median_decides_and_rows_below_are_named() -> None:
    first, film = judge_windows([row(1.0), row(0.9), row(0.3), row(None)], WINDOWS, first_row=2)
    assert (first["recipes"], first["window"], first["fits"]) == ("a, b", [96, 64], False)
    assert (first["in_window"], first["images_below"], first["rows_below"]) == (0.6, 2, [4, 5])
    assert film["in_window"] == 0.6
    assert judge_windows([row(1.0), row(0.9), row(0.3)], WINDOWS, 2)[0]["fits"]


def test_a_breast_lost_in_the_window_does_not_fit() -> None:
    assert not judge_windows([row(1.0, fills=0.02)], WINDOWS, 2)[0]["fits"]


@pytest.mark.parametrize("grey", [0, 3, 4, 10])
def test_films_need_a_recipe_for_films(grey: int) -> None:
    images = [row(1.0, grey=n < grey) for n in range(10)]
    digital, film = judge_windows(images, WINDOWS, 2)
    assert are_films(images) == (not digital["fits"]) == digital["film_wanted"] == (grey >= 4)
    assert film["fits"]
    assert not film["film_wanted"]


def test_pixel_sizes() -> None:
    assert pixel_sizes([row(1.0), row(1.0, pixel_mm=0.07), row(1.0, pixel_mm=0.07)]) == {"0.07 mm": 2, "unknown": 1}


def test_windows_that_were_not_looked_through() -> None:
    seen = Seen(PurePosixPath("a.png"), "used")
    assert judge_windows([Row(seen, "p", "e", "i", ())], WINDOWS, 2) == []
