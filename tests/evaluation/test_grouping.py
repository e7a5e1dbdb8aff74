import numpy as np
import pandas as pd
import pytest

from mammoseg.config import ConfigError
from mammoseg.evaluation.grouping import Groups, read_cuts


def images_of(**columns: list[object]) -> pd.DataFrame:
    """Two images of a breast each."""
    n = len(next(iter(columns.values())))
    ids = {"patient_id": [str(i // 2) for i in range(n)], "exam_id": [""] * n, "laterality": ["L"] * n}
    return pd.DataFrame(ids | columns)


def test_texts_are_groups_and_nothing_is_one_too() -> None:
    groups = Groups(images_of(density=["B", "B", "A", "A", None, ""]), "density", {})
    assert list(groups.of_image["density"]) == ["B", "B", "A", "A", "unknown", "unknown"]
    assert list(groups.of_image["density"].cat.categories) == ["A", "B", "unknown"]
    assert groups.per_breast
    assert list(groups.of_breast(images_of(density=["B", "B", "A", "A", None, ""]))["density"]) == ["B", "A", "unknown"]


def test_a_property_of_images() -> None:
    assert not Groups(images_of(view=["CC", "MLO"]), "view", {}).per_breast


def test_few_numbers_are_groups_in_their_order() -> None:
    groups = Groups(images_of(birads=["10", "10", "9", "9", "1", "1"]), "birads", {})
    assert list(groups.of_image["birads"].cat.categories) == ["1", "9", "10", "unknown"]
    assert not groups.cuts


def test_many_numbers_are_cut_at_quartiles_that_are_told() -> None:
    ages = [str(age) for age in range(40, 80)]
    groups = Groups(images_of(age=ages), "age", {})
    assert groups.cuts == {"age": pytest.approx(list(np.quantile(range(40, 80), [0.25, 0.5, 0.75])))}
    assert groups.of_image["age"].value_counts().tolist() == [10, 10, 10, 10, 0]


def test_a_range_holds_its_lower_edge() -> None:
    groups = Groups(images_of(age=["39", "39,9", "40", "49.9", "50", ""]), "age", {"age": [40, 50]})
    assert list(groups.of_image["age"]) == [
        "below 40", "below 40", "40 to below 50", "40 to below 50", "50 and above", "unknown"
    ]  # fmt: skip
    assert groups.stated == {"age": True}


def test_names_of_groups_that_could_be_read_in_two_ways_are_in_quotes() -> None:
    plain = Groups(images_of(view=["CC", "MLO"], density=["a", "b"]), "view,density", {})
    assert plain.named() == {"CC / a": ("CC", "a"), "MLO / b": ("MLO", "b")}
    unclear = Groups(images_of(view=["CC / a", "CC"], density=["b", "a / b"]), "view,density", {})
    assert {*unclear.named()} == {"'CC / a' / 'b'", "'CC' / 'a / b'"}


def test_two_columns() -> None:
    images = images_of(density=["A", "A", "B", "B"], vendor=["x", "x", "x", "y"])
    groups = Groups(images, "density, vendor", {})
    assert groups.columns == ["density", "vendor"]
    assert not groups.per_breast
    named = images_of(**{"a,b": ["1", "2"]})
    assert Groups(named, "a,b", {}).columns == ["a,b"]


@pytest.mark.parametrize(
    ("name", "cuts", "message"),
    [
        ("densty", {}, r"'densty': there is no such column. There are: .*density"),
        ("density,age", {}, r"'age': there is no such column"),
        ("density,density", {}, r"2 columns. Expected one or two different"),
        ("density,laterality,exam_id", {}, r"3 columns"),
        ("number", {}, r"'number': it has 60 values. Expected at most 50"),
        ("density", {"density": [1.0]}, r"'density': it is to be cut at 1.0, and holds texts"),
    ],
)
def test_what_is_no_breakdown(name: str, cuts: dict[str, list[float]], message: str) -> None:
    images = images_of(density=["A"] * 60, number=[f"n{i}" for i in range(60)], score_x=[0.5] * 60)
    with pytest.raises(ConfigError, match=message) as error:
        Groups(images, name, cuts)
    assert "score_x" not in str(error.value)


def test_cuts_are_read() -> None:
    assert read_cuts(["age=50,40,60.5", "size = -1"]) == {"age": [40, 50, 60.5], "size": [-1]}


@pytest.mark.parametrize("text", ["age", "age=", "=40", "age=40,", "age=nan", "age=1e9999", "age=40;50"])
def test_cuts_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a column and where it is cut, such as age=40,50,60"):
        read_cuts([text])
