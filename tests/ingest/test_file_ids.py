"""Ids of files: readable, unique also where capitals do not count, and the same in any order."""

import itertools
from pathlib import PurePosixPath

import pytest

from mammoseg.ingest.file_ids import file_ids
from mammoseg.io.runs import is_safe_id


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["0012_L-CC.png"], ["0012_L-CC"]),
        (["s1/IM1.dcm", "s2/IM1.dcm", "s2/IM2.dcm"], ["s1_IM1", "s2_IM1", "IM2"]),
        (["p/a/x", "q/a/x", "q/b/x"], ["p_a_x", "q_a_x", "b_x"]),
        (["1.2.840.1", "1.2.840.2"], ["1.2.840.1", "1.2.840.2"]),
        (["a_L-CC.png", "A_L-CC.png", "a_L-CC.dcm"], ["a_L-CC_3", "A_L-CC", "a_L-CC_2"]),
        (["P002 left mlo.png"], ["P002_left_mlo"]),
        (["a b.png", "a_b.png"], ["a_b", "a_b_2"]),
        (["s1_x.png", "s1/x.png", "s2/x.png"], ["s1_x", "s1_x_2", "s2_x"]),
        (["日本.png", "._.png"], ["image_2", "image"]),
        (["x.png", "a/x.png"], ["x", "a_x"]),
    ],
)
def test_readable(names: list[str], ids: list[str]) -> None:
    places = [PurePosixPath(name) for name in names]
    for order in itertools.permutations(places):
        found = file_ids(order)
        assert sorted(found.values()) == sorted(ids)
        assert all(is_safe_id(name) for name in found.values())
        assert found == file_ids(places)
    assert len({name.lower() for name in ids}) == len(ids)


def test_long_names_stay_different() -> None:
    places = [PurePosixPath(f"{'a' * 250}{number}.png") for number in range(3)]
    ids = file_ids(places)
    assert len(set(ids.values())) == 3
    assert all(is_safe_id(name) for name in ids.values())
