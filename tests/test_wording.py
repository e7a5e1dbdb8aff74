"""How many things there are, and the first of them, in words."""

import pytest

from mammoseg.wording import counted, listed, p_value


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_counted(number: int, text: str) -> None:
    assert counted(number, "row") == text


def test_listed() -> None:
    assert listed([]) == ""
    assert listed([1, 2, 3, 4, 5]) == "1, 2, 3, 4, 5"
    assert listed("abcdefg") == "a, b, c, d, e ... and 2 more"
    assert listed([1, 2, 3], 2, "; ") == "1; 2 ... and 1 more"
    assert listed([1, 2, 3], 1, mark="") == "1 and 2 more"
    assert listed([1, 2, 3], 2, "\n  ") == "1\n  2\n  ... and 1 more"


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< 0.001"), (0.0123, "0.012"), (1.0, "1.000"), (float("nan"), ""), (None, "")]
)
def test_p_value(p: float | None, text: str) -> None:
    assert p_value(p) == text


def test_p_value_of_more_digits() -> None:
    assert p_value(0.00031, least=0.0001) == "0.0003"
    assert p_value(0.00001, least=0.0001) == "< 0.0001"
