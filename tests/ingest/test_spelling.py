"""Ids are the same although programs have changed them; others are not."""

import pytest

from mammoseg.ingest.spelling import essence, number


@pytest.mark.parametrize(("text", "same"), [("10006.0", "10006"), ("12,00", "0012"), ("0", "000"), ("p002", "P002")])
def test_the_same_id(text: str, same: str) -> None:
    assert essence(text) == essence(same)


@pytest.mark.parametrize(("text", "other"), [("1.2", "1.20"), ("P12", "12"), ("P02", "P2")])
def test_other_ids(text: str, other: str) -> None:
    assert essence(text) != essence(other)


def test_a_number_keeps_its_zeros_in_front() -> None:
    assert number("0012.0") == "0012"
