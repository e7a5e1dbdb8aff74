"""The collected problems of a table, and the table as text. What cells may hold is tested in test_manifest.py."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mammoseg.data.columns import (
    OPTIONAL,
    REQUIRED,
    ManifestError,
    Problems,
    as_text,
    check_table,
    class_columns,
    date_of,
)
from mammoseg.records.label import CLASSES

NUMBERS = np.arange(20) + 2


def good() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": ["1", "2"],
            "exam_id": ["1", "2"],
            "image_id": ["a", "b"],
            "laterality": ["L", "R"],
            "view": ["CC", "CC"],
            "path": ["x/a.png", "/else/b.png"],
            "extra": [[1, 2], None],
        },
        [2, 3],
    )


def test_problems_name_the_first_rows_and_count_all() -> None:
    problems = Problems()
    problems.add("too long", [False] * 20, NUMBERS)
    assert problems.lines == []
    problems.add("too long", [n % 2 == 0 for n in range(20)], NUMBERS, list("abcdefghijklmnopqrst"))
    problems.add("empty", [n == 3 for n in range(20)], NUMBERS)
    assert problems.lines == [
        "too long (10 rows): row 2 'a'; row 4 'c'; row 6 'e'; row 8 'g'; row 10 'i' ... and 5 more",
        "empty (1 row): row 5",
    ]


def test_rows_that_contradict_each_other_stand_together() -> None:
    problems = Problems()
    keys = pd.Series(list("abcabc") + ["d"] * 7, range(2, 15))
    problems.add_groups("differs", keys, keys != "b")
    assert problems.lines == ["differs (3 cases): rows 2, 5; rows 4, 7; rows 8, 9, 10, 11, 12 and 2 more"]


def test_the_given_table_is_left_alone() -> None:
    raw = good()
    table = check_table(raw, Path("/study/m.csv"), Problems())
    pd.testing.assert_frame_equal(raw, good())
    assert list(table) == [*REQUIRED, *class_columns(CLASSES), *OPTIONAL, "extra"]
    assert table["path"].tolist() == ["/study/x/a.png", "/else/b.png"]
    assert table.dtypes[["benign", "malignant", "pixel_mm"]].tolist() == [np.float64] * 3


def test_problems_of_reading_are_told_with_the_others() -> None:
    problems = Problems()
    problems.lines.append("found while reading")
    with pytest.raises(ManifestError, match=r"(?s)m\.csv: .*found while reading.*view is empty"):
        check_table(good().assign(view=[None, " "]), Path("/study/m.csv"), problems)


def test_mask_and_heatmap_files_must_exist(tmp_path: Path) -> None:
    (tmp_path / "there.png").touch()
    heatmaps = {"benign_heatmap": ["there.png", None], "malignant_heatmap": ["there.png", "gone.png"]}
    table = good().assign(**heatmaps, malignant_mask=["there.png", "there.png"])
    with pytest.raises(ManifestError, match=r"malignant_heatmap: there is no such file \(1 row\): row 3") as caught:
        check_table(table, tmp_path / "m.csv", Problems())
    assert str(caught.value).count("no such file") == 1
    table["malignant_heatmap"] = "there.png"
    checked = check_table(table, tmp_path / "m.csv", Problems())
    assert checked["benign_heatmap"].tolist() == [str(tmp_path / "there.png"), None]
    assert as_text(checked, tmp_path)["malignant_heatmap"].tolist() == ["there.png", "there.png"]


def test_as_text() -> None:
    table = check_table(good().assign(benign=[1, None]), Path("/study/m.csv"), Problems())
    text = as_text(table, Path("/study"))
    assert text["path"].tolist() == ["x/a.png", "/else/b.png"]
    assert text["benign"].tolist() == ["1", None]
    assert text["extra"].tolist() == ["[1, 2]", None]


def test_dates() -> None:
    assert {date_of(text) for text in ("20240131", "2024-01-31", "2024-01-31 00:00:00")} == {"2024-01-31"}
    assert {date_of(text) for text in ("31.01.2024", "2024", "")} == {None}
