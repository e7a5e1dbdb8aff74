"""How many things there are, and the first of them, in words."""

import pytest

from mammoseg.wording import counted, listed


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
