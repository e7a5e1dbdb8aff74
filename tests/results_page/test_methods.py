"""A methods paragraph says what was done, and nothing that was not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mammoseg.evaluation.results import Results, read_results
from mammoseg.results_page.citations import REFERENCES, Cited
from mammoseg.results_page.methods import methods

AUC = {"value": 0.8, "low": 0.7, "high": 0.9}


def results(**metrics: Any) -> Results:
    return Results(Path("out"), {"version": "1", **metrics}, pd.DataFrame(), pd.DataFrame())


def test_of_an_evaluation(evaluated: SimpleNamespace) -> None:
    cited = Cited()
    text = methods(read_results(evaluated.folder), cited)
    for said in ("24 images of 24 breasts, 12 exams, 12 patients", "50 bootstrap replicates", "seed 0", "GLAM [1]"):
        assert said in text
    for said in ("PxAP", "pointing game", "Mann-Whitney", "broken down by view", "map of uniform noise"):
        assert said in text
    assert "could not be predicted" not in text
    assert len(cited.works) == len(set(cited.works)) >= 8
    assert cited.works[0] == REFERENCES["liu"]
    assert all(f"{number}" in text for number in range(1, len(cited.works) + 1))


def test_nothing_is_said_of_what_was_not_done() -> None:
    text = methods(results(n_images=3), Cited())
    assert text == "The model a model was evaluated on 3 images with mammoseg 1."
    text = methods(results(scores={"image": {"x": {"final": {"auc": AUC}}}}, bootstrap=0), Cited())
    assert "No confidence intervals" in text
    assert "breast" not in text
    assert "average precision" not in text


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"n_failed": 1}, "1 image could not be predicted and was left out."),
        ({"n_of_training": 4}, "The model had learned from the patients of 4 of the images."),
        ({"scores": {"image": {"x": {"final": {"unknown": 2, "auc": AUC}}}}}, "label is unknown were left out"),
        ({"calibration": {"x": {}}}, "expected calibration error"),
        ({"predictions": {"run": {"prep": {"window": [4, 3], "fit": "resize"}}}}, "resized to 4 x 3 pixels."),
        ({"titles": {"toy": "My toy"}, "scores": {"image": {"x": {"final": {"toy": AUC}}}}}, "with My toy."),
    ],
)
def test_what_was_done_is_said(metrics: dict[str, Any], said: str) -> None:
    assert said in methods(results(**metrics), Cited())


def test_citations_are_numbered_as_they_come() -> None:
    cited = Cited()
    assert (cited("holm"), cited("dice", "holm"), cited("dice")) == ("[1]", "[1, 2]", "[2]")
    assert cited.works == [REFERENCES["holm"], REFERENCES["dice"]]
