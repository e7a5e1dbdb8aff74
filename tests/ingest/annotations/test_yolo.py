"""YOLO: shares of the image become the pixels that they cover, and names of classes are found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*lines: str, name: str = "labels/left.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))
        return path

    return to_file


def test_a_box(write: Any, bring: Any, mask_of: Any) -> None:
    """Middle (64, 40), 32 columns and 16 rows of 128 x 160 pixels."""
    write("benign", "malignant", name="labels/classes.txt")
    done = bring("yolo", write("1 0.5 0.25 0.25 0.1", "").parent)
    expected = np.zeros((160, 128), bool)
    expected[32:48, 48:80] = True
    assert not done.problems
    assert np.array_equal(mask_of(done, "left", "malignant"), expected)
    assert done.manifest.table["malignant_boxes"].tolist() == ["32 48 48 80", None]


def test_a_polygon(write: Any, bring: Any, mask_of: Any) -> None:
    write("names: {0: malignant, 3: benign}\npath: ../x", name="data.yaml")
    done = bring("yolo", write("3 0.5 0.5 0.75 0.5 0.75 0.75 0.5 0.75"))
    expected = np.zeros((160, 128), bool)
    expected[80:120, 64:96] = True
    assert np.array_equal(mask_of(done, "left", "benign"), expected)
    assert done.manifest.table["benign_boxes"].isna().all()


@pytest.mark.parametrize(
    ("name", "content"),
    [("obj.names", "a\nbenign"), ("data.yaml", "names: [a, benign]"), ("labels/classes.txt", "a\r\nbenign")],
)
def test_where_names_stand(name: str, content: str, write: Any, bring: Any) -> None:
    write(content, name=name)
    assert bring("yolo", write("1 0.5 0.5 0.1 0.1")).images == {"benign": 1}


def test_without_names_the_number_is_the_label(write: Any, bring: Any) -> None:
    assert bring("yolo", write("12 0.5 0.5 0.1 0.1"), rules=("12=benign",)).images == {"benign": 1}


def test_a_box_over_the_border_by_rounding(write: Any, bring: Any) -> None:
    done = bring("yolo", write("0 0.05 0.5 0.1000001 0.1"), rules=("0=benign",))
    assert done.manifest.table["benign_boxes"][2].split()[1] == "0"


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 0.1",
        "0 0.5 0.5 0.1 0.1 0.9",  # with a score: a prediction
        "0 64 40 32 16",
        "0 nan 0.5 0.1 0.1",
        "0 inf 0.5 0.1 0.1",
        "0 1e300 0.5 0.1 0.1",
        "a 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 x 0.1",
        "\x00\x01",
        "0 " + "0.5 " * 300_000,
    ],
)
def test_a_hostile_line_costs_its_file_only(line: str, write: Any, bring: Any, study: Any) -> None:
    write(line, name="labels/right.txt")
    done = bring("yolo", write("0 0.5 0.5 0.1 0.1").parent, rules=("*=benign",))
    assert [problem.source.name for problem in done.problems] == ["right.txt"]
    assert dict(done.images) == {"benign": 1}


@pytest.mark.parametrize(
    "names",
    ["a: &a [x]\nnames: 3", "names: [[[1]]]", "&a [*a]", "x: !!python/object/apply:os.system [ls]", "- 1", "\x00"],
)
def test_hostile_names(names: str, write: Any, bring: Any) -> None:
    write(names, name="labels/data.yaml")
    done = bring("yolo", write("0 0.5 0.5 0.1 0.1"), rules=("*=benign",))
    assert len(done.problems) + len(done.findings) == 1
