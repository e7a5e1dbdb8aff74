import numpy as np

from mammoseg.evaluation.sizes import by_size

NAN = float("nan")


def test_millimetres_where_all_are_known() -> None:
    sizes = by_size(np.ones(6), np.array([1, 5, 5.01, 10, 20, 20.01]))
    assert sizes.names == ["up to 5 mm", "over 5 to 10 mm", "over 10 to 20 mm", "over 20 mm"]
    assert sizes.group.tolist() == [0, 0, 1, 1, 2, 3]


def test_thirds_otherwise() -> None:
    sizes = by_size(np.arange(1.0, 10.0), np.array([1.0] * 8 + [NAN]))
    assert sizes.names == ["up to 3.667 px", "over 3.667 to 6.333 px", "over 6.333 px"]
    assert sizes.group.tolist() == [0] * 3 + [1] * 3 + [2] * 3
