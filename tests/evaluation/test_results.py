"""What evaluate wrote, read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from mammoseg.evaluation.evaluate import evaluate
from mammoseg.evaluation.results import Results, ResultsError, part, printable, read_results


@pytest.fixture
def results(study: Any, tmp_path: Path) -> Results:
    evaluate(study.predictions, study.manifest, tmp_path / "out", bootstrap=0)
    return read_results(tmp_path / "out")


def test_what_was_written_is_read(results: Results) -> None:
    assert results.metrics["n_failed"] == 1
    assert results.classes == ("benign", "malignant")
    assert results.titles["auc"] == "AUC"
    assert len(results.images) == 16
    assert (results.numbers["metric"] == "auc").any()
    malignant = results.values("malignant").set_axis(results.images["image_id"])
    assert malignant[["0LCC", "0RCC"]].tolist() == [1, 0]
    assert results.values("score_final_malignant").notna().sum() == 15
    assert results.values("no such column").isna().all()


def test_texts_that_look_like_formulas_are_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "per_image.csv").write_text("image_id,'=A1\n'=1+1,x\n")
    assert read_results(tmp_path).images.to_dict("records") == [{"image_id": "=1+1", "=A1": "x"}]


@pytest.mark.parametrize("name", ["metrics.json", "metrics.csv", "per_image.csv"])
def test_damaged_files_are_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / name).write_bytes(b"\xff\0")
    with pytest.raises(ResultsError, match=name):
        read_results(tmp_path)


def test_missing_tables_are_empty(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    results = read_results(tmp_path)
    assert results.classes == ()
    assert results.numbers.empty
    assert results.titles == {}


def test_parts_of_anything_are_dictionaries() -> None:
    tree = {"a": {"b": {"c": 1}}, "list": [1], "none": None}
    assert part(tree, "a", "b") == {"c": 1}
    assert part(tree, "a", "b", "c", "d") == part(tree, "list") == part(tree, "none") == part(tree, "x") == {}


def test_any_text_can_be_written() -> None:
    assert json.dumps(printable({"\ud800": ["a", "\ud800", 1, None]})).encode()
    assert printable({"\ud800": ["\ud800"]}) == {"\\ud800": ["\\ud800"]}
