"""Every view is one of two projections."""

import pytest

from mammoseg.prep.projection import projection_of


@pytest.mark.parametrize(
    ("view", "cc"),
    [("CC", True), ("XCCL", True), ("cc", True), ("FB", True), ("MLO", False), ("ML", False), ("LM", False)],
)
def test_views(view: str, cc: bool) -> None:
    assert (projection_of(view) == "CC") is cc
