"""What a scan advises: a command that can be typed as it is, for a recipe whose window shows the breast."""

from pathlib import Path
from typing import Any

import pytest

from mammoseg.cli.advice import advise, recipe_windows
from mammoseg.training.recipes import load_recipe


def quality(fits: set[str], films: bool = False, unknown: int = 0, labelled: int = 8) -> dict[str, Any]:
    windows = [
        {"recipes": name, "fits": name in fits, "film_wanted": films and name != "glam_film"}
        for name in recipe_windows()
    ]
    sizes = {"0.07 mm": 10 - unknown, "unknown": unknown} if unknown else {"0.07 mm": 10}
    labels = {"images_with_label": labelled}
    return {"pixel_sizes": sizes, "windows": windows, "labels": labels, "counts": {"images": 10}}


SMALL = next(name for name in recipe_windows() if "glam_small" in name)
PAPER = next(name for name in recipe_windows() if "glam_paper" in name)


def test_every_window_is_that_of_its_recipes() -> None:
    for names, prep in recipe_windows().items():
        for name in names.split(", "):
            assert load_recipe(name).prep == prep
    assert "gmic_cbis_paper" not in " ".join(recipe_windows()), "it shows whole breasts"


@pytest.mark.parametrize(
    ("fits", "films", "recipe"),
    [
        ({SMALL, "glam_film", PAPER}, False, "glam_small"),
        ({PAPER, "glam_film"}, False, "glam_paper"),
        ({"glam_film"}, True, "glam_film"),
        (set(), True, "glam_film --set prep.fit=resize"),
        ({"glam_film"}, False, "glam_small --set prep.fit=resize"),
    ],
)
def test_the_recipe_that_fits(fits: set[str], films: bool, recipe: str) -> None:
    lines = advise(quality(fits, films), Path("my study.csv"))
    assert lines[-1] == f"Next: mammoseg train --recipe {recipe} --manifest 'my study.csv' --out run"
    assert len(lines) == (2 if "resize" in recipe else 1)


def test_without_labels_there_is_nothing_to_train_on() -> None:
    *_, predict, train = advise(quality({SMALL}, labelled=0), Path("m.csv"))
    assert predict.startswith("Next: mammoseg predict --checkpoint CHECKPOINT --manifest m.csv ")
    assert "--labels" in train


def test_an_unknown_pixel_size_is_asked_for() -> None:
    assert "of 3 of 10 images is unknown" in advise(quality({SMALL}, unknown=3), Path("m.csv"))[0]


def test_without_pixels_no_window_is_known() -> None:
    [line] = advise(quality(set()) | {"windows": []}, Path("m.csv"))
    assert "--no-pixels" in line
