"""Two evaluations are matched by image, and whatever does not fit is an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mammoseg.comparison.pairs import A, B, PairError, paired
from mammoseg.evaluation.results import read_results


def pairs(a: Path, b: Path) -> Any:
    return paired(read_results(a), read_results(b))


def test_cases_have_the_scores_of_both(evaluation: Callable[..., Path]) -> None:
    found = pairs(evaluation("a"), evaluation("b", 0.2, change=lambda table: table.sample(frac=1, random_state=0)))
    assert found.classes == ("malignant", "benign") or found.classes == ("benign", "malignant")
    assert found.levels == ("image", "breast")
    images = found.cases["image"].set_index("image_id")
    assert len(images) == 80
    difference = images["score_B_malignant"] - images["score_A_malignant"]
    assert difference[images["malignant"] == 0].abs().max() < 1e-12
    assert difference[images["malignant"] == 1].min() > 0.1
    assert np.isnan(images.loc["p3L", "benign"])
    assert len(found.cases["breast"]) == 80
    dice = found.maps[found.maps["metric"] == "dice_soft"]
    assert len(dice) == 20
    assert (dice[B] - dice[A]).between(0.02, 0.08).all()


def test_failed_images_are_left_out_of_both(evaluation: Callable[..., Path]) -> None:
    def fail(image_id: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def change(table: pd.DataFrame) -> pd.DataFrame:
            wrong = table["image_id"] == image_id
            scores = [name for name in table if str(name).startswith("score_")]
            table = table.astype(object)
            table.loc[wrong, scores] = ""
            table.loc[wrong, "failed"] = 1
            return table

        return change

    found = pairs(evaluation("a", change=fail("p0L")), evaluation("b", change=fail("p1R")))
    assert found.left_out == ("p0L", "p1R")
    assert len(found.images) == 78
    assert len(found.maps) == 3 * 19


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t[t["patient_id"] != "p7"], "78 are common, 2 only in the first (p7L, p7R), 0 only in the second"),
        (lambda t: t.assign(malignant=1.0), "malignant differs for 60 images"),
        (lambda t: t.assign(benign=0.0), "benign differs for 2 images (p3L, p3R)"),
        (lambda t: t.assign(patient_id="p"), "patient_id differs for 80 images"),
        (lambda t: t.drop(columns="patient_id"), "has no column patient_id"),
        (lambda t: pd.concat([t, t[:1]]), "1 image twice (p0L)"),
        (lambda t: t.drop(columns=[c for c in t if str(c).startswith("score")]), "has scores of .* no class"),
        (lambda t: t.assign(failed=1), "no image has a score in both"),
    ],
)
def test_what_does_not_fit_is_told(
    evaluation: Callable[..., Path], change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    with pytest.raises(PairError, match=said.replace("(", r"\(").replace(")", r"\)")):
        pairs(evaluation("a"), evaluation("b", change=change))


def test_without_sides_there_are_images_only(evaluation: Callable[..., Path]) -> None:
    without = lambda table: table.drop(columns=["laterality", "exam_id", "view"])  # noqa: E731
    found = pairs(evaluation("a", change=without), evaluation("b", change=without))
    assert found.levels == ("image",)
    assert len(found.cases["image"]) == 80
