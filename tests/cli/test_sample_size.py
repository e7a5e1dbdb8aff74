"""`mammoseg sample-size`: one thing that is wanted, and an answer in a line."""

from collections.abc import Callable
from typing import Any

import pytest

from mammoseg.statistics.sample_size import cases_for_auc, cases_for_difference, cases_for_width, design_effect


def test_answers_are_those_of_the_formulas(command: Callable[..., Any]) -> None:
    width = cases_for_width(0.85, 0.05, 9, design_effect(2, 0.3))
    done = command("sample-size", "--auc", 0.85, "--width", 0.05, "--ratio", 9, "--per-patient", 2, "--within", 0.3)
    assert done.code == 0
    done.says(f"AUC 0.85 +- 0.05: {width.positives} positive and {width.negatives} negative cases.")
    against = cases_for_auc(0.7, 0.5, 0.9)
    command("sample-size", "--auc", 0.7, "--against", 0.5, "--power", 0.9).says(f"{against.positives} positive")
    difference = cases_for_difference(0.85, 0.88, 0.6)
    done = command("sample-size", "--auc", 0.85, "--difference", 0.03, "--correlation", 0.6)
    done.says(f"against 0.88 on the same cases, correlation 0.6, power 0.8: {difference.positives} positive")


def test_small_answers_come_with_a_caution(command: Callable[..., Any]) -> None:
    command("sample-size", "--auc", 0.9, "--against", 0.5).says("Take more.")
    assert "Caution" not in command("sample-size", "--auc", 0.85, "--width", 0.05).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give one of them"),
        (("--width", 0.1, "--against", 0.5), "give one of them"),
        (("--difference", 0.2), "between 0 and 1"),
        (("--difference", 0), "expected different ones"),
        (("--width", 0.1, "--per-patient", 0), "at least 1"),
    ],
)
def test_mistakes_are_wrong_usage(command: Callable[..., Any], options: tuple[Any, ...], said: str) -> None:
    done = command("sample-size", "--auc", 0.85, *options)
    assert done.code == 2
    assert said in " ".join(done.err.split())
