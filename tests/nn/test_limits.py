"""Trunks of any sensible size, and no larger ones."""

import pytest

from mammoseg.nn.limits import MOST_GROUPS, check_groups


def test_groups() -> None:
    check_groups((3, 4, 6, 3), (64, 128, 256, 512), (1, 1, 1, 1))
    for unequal in (((1, 1), (4, 8), (1,)), ((), (), ())):
        with pytest.raises(ValueError, match="one entry per group"):
            check_groups(*unequal)
    with pytest.raises(ValueError, match="there are 17 groups; expected at most 16"):
        check_groups(*[(1,) * (MOST_GROUPS + 1)] * 3)
