"""Checklists: complete, and filled with what is known only."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from mammoseg.evaluation.results import Results, read_results
from mammoseg.results_page import claim, tripod_ai
from mammoseg.results_page.checklist import Item, filled

LISTS = pytest.mark.parametrize("items", [claim.ITEMS, tripod_ai.ITEMS], ids=["claim", "tripod"])


def test_every_item_is_there() -> None:
    assert [item.number for item in claim.ITEMS] == [str(number) for number in range(1, 45)]
    numbers = [item.number for item in tripod_ai.ITEMS]
    assert len(set(numbers)) == len(numbers) == 52
    assert sorted({int(number.rstrip("abcdefg")) for number in numbers}) == list(range(1, 28))


@LISTS
def test_an_evaluation_fills_some_and_leaves_the_rest(items: tuple[Item, ...], evaluated: SimpleNamespace) -> None:
    answers = {item.number: item.answer for item in filled(items, read_results(evaluated.folder))}
    known = [number for number, answer in answers.items() if answer]
    assert 8 <= len(known) < len(items) / 2
    assert not answers["1"]
    assert not answers["2"], "title and abstract are for the authors"


@LISTS
def test_nothing_is_known_of_nothing(items: tuple[Item, ...]) -> None:
    empty = Results(Path("out"), {}, pd.DataFrame(), pd.DataFrame())
    said = [item.number for item in filled(items, empty) if item.answer]
    assert set(said) <= {"12", "23", "11", "12g"}, "how the program treats missing data, and which program it is"


def test_only_what_was_measured_is_named() -> None:
    """Every evaluation knows the titles of all metrics there are."""
    of_scores = Results(
        Path("out"), {"titles": {"auc": "AUC", "pxap": "PxAP"}}, pd.DataFrame({"metric": ["auc"]}), pd.DataFrame()
    )
    [answer] = [item.answer for item in filled(claim.ITEMS, of_scores) if item.number == "28"]
    assert "AUC" in answer
    assert "PxAP" not in answer


def test_patients_of_the_training_are_told() -> None:
    learned = Results(Path("out"), {"n_of_training": 2}, pd.DataFrame(), pd.DataFrame())
    [answer] = [item.answer for item in filled(claim.ITEMS, learned) if item.number == "20"]
    assert "2 images evaluated here are of patients that the model has learned from" in answer
